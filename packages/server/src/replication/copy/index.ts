import { setTimeout as delay } from 'node:timers/promises';
import { Pace } from '../../platform/pace/index.ts';
import type { ReplicationContext, ReplicationPart } from '../replication-context.ts';
import { BlobBringer } from './bring-blobs.ts';
import { Copier } from './copier.ts';
import type { CopyContext } from './copy-context.ts';
import { GiveWay, type GiveWayOptions } from './give-way.ts';
import { bytesPerPart } from './model.ts';
import { CopyProgress } from './progress.ts';
import { Repairer } from './repair.ts';
import { Turns } from './turns.ts';

export { toCopy } from './bring-blobs.ts';
export { completeManifest } from './complete-manifest.ts';
export type { CopyContext } from './copy-context.ts';
export { fetchManifest } from './fetch-manifest.ts';
export { CopyFailedError } from './model.ts';
export { type BlobAtPeer, openAtPeer, peersFor, reasonOf } from './open-at-peers.ts';

export interface Copying extends ReplicationPart {
  /** A client of this region was served: copies give way to it and its like. */
  clientServed(): void;
  /** What other parts need to bring something at once. */
  readonly context: CopyContext;
  /** How fast content of a registry comes, and what has come of blobs that are not whole yet. */
  bytesPerSecond(registryId: number): number;
  receivedBytes(registryId: number): number;
  /** A part of a blob of this registry does not open: other regions are asked for it at once. */
  repair(registryId: number): void;
  /** Blobs of a registry that were repaired since the start. */
  repaired(registryId: number): number;
}

export interface CopyingOptions {
  /** What becomes durable at once. */
  readonly partBytes?: number;
  /** By whose time clients come and go. */
  readonly giveWay?: Omit<GiveWayOptions, 'leastBytesPerSecond'>;
}

const wait = (delayMs: number, signal: AbortSignal): Promise<void> => delay(delayMs, undefined, { signal, ref: false });

/** Brings the content of other regions here. */
export function createCopying(context: ReplicationContext, options: CopyingOptions = {}): Copying {
  const { database, blobs, peers, log, clock, settings, metrics, bells, signal } = context;
  const progress = new CopyProgress(clock);
  const clients = new GiveWay({ ...options.giveWay, leastBytesPerSecond: settings.replicationBusyRateBytes });
  const paceOf = (bytesPerSecond: number | (() => number)): Pace => new Pace({ bytesPerSecond, clock, wait });
  const limit = paceOf(settings.replicationRateBytes);
  const giveWay = paceOf(() => clients.bytesPerSecond());
  const turns = new Turns(settings.replicationCopies);
  const { partBytes = bytesPerPart(settings.replicationRateBytes) } = options;
  const bringer = new BlobBringer({ database, blobs: blobs.replica, peers, log, limit, giveWay, progress, partBytes }, turns);
  const copyContext: CopyContext = { ...context, bringer, progress };
  const copier = new Copier(copyContext);
  const repairer = new Repairer(copyContext);
  bells.onPending(() => copier.wake());
  metrics.counter(
    'berth_replication_copied_bytes_total',
    'Bytes that were copied from other regions.',
    () => progress.copiedBytes,
  );
  metrics.counter(
    'berth_replication_damaged_answers_total',
    'Answers of other regions whose bytes were not what their digest says.',
    () => progress.damagedAnswers,
  );
  metrics.counter(
    'berth_replication_repaired_blobs_total',
    'Damaged blobs that were replaced by what another region has.',
    () => repairer.total,
  );
  metrics.gauge('berth_replication_allowed_bytes', 'Bytes a second that clients leave for copies; 0: as many as they can.', () =>
    clients.bytesPerSecond(),
  );
  metrics.gauge('berth_replication_copies', 'Blobs that are being copied from other regions.', () => turns.taken);
  metrics.gauge('berth_replication_manifests_in_work', 'Manifests whose content is being brought.', () => copier.inWork);
  return {
    clientServed: () => clients.served(),
    context: copyContext,
    bytesPerSecond: (registryId) => progress.bytesPerSecond(registryId),
    receivedBytes: (registryId) => bringer.receivedBytes(registryId),
    repair: (registryId) => repairer.wake(registryId),
    repaired: (registryId) => repairer.repaired(registryId),
    loops: () => [copier.run(signal), copier.keepUp(signal), repairer.run(signal)],
  };
}
