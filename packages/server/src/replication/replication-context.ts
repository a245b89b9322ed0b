import type { Blobs } from '../blobs/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Registries } from '../registries/index.ts';
import type { Settings } from '../settings/index.ts';
import type { Peers } from './peers/model.ts';

/** What of the settings is about other regions. */
export type ReplicationSettings = Pick<
  Settings,
  | 'replicationRateBytes'
  | 'replicationBusyRateBytes'
  | 'replicationCopies'
  | 'changeRetentionMs'
  | 'tombstoneRetentionMs'
  | 'maxClockSkewMs'
  | 'garbageDelayMs'
  | 'garbageIntervalMs'
>;

/** What all parts of this feature work with. */
export interface ReplicationContext {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'gauge' | 'gauges' | 'counter'>;
  readonly registries: Pick<Registries, 'all' | 'byName' | 'byId' | 'refresh' | 'local' | 'ids'>;
  readonly catalog: Pick<Catalog, 'inspect'>;
  readonly blobs: Blobs;
  readonly peers: Peers;
  readonly settings: ReplicationSettings;
  /** What happens in one part and matters to another, in this process; every part looks by the clock, too. */
  readonly bells: ReplicationBells;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}

export interface ReplicationBells {
  /** A transaction that wrote the change log of a registry has committed: feeds that wait wake. */
  changed(registryId: number): void;
  /** Tags of a registry were moved: triggers and retention wake. */
  tagsMoved(registryId: number): void;
  /** Manifests are pending: the copier wakes. */
  pending(registryId: number): void;
  /** Which registries are replicated, or where, has changed: followers begin and end. */
  replicas(): void;
  onPending(listener: (registryId: number) => void): void;
  onReplicas(listener: () => void): void;
}

/** What a part of this feature does in the background. */
export interface ReplicationPart {
  /** Begins it; each promise resolves once the signal of the context has aborted. */
  loops(): readonly Promise<void>[];
  /** After the signal has aborted: resolves when nothing is in work any more. */
  stop?(): Promise<unknown>;
}
