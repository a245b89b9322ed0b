import type { Readable } from 'node:stream';
import type { ReplicaBlobs } from '../../blobs/index.ts';
import { RegistryError } from '../../errors/index.ts';
import type { Database } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Pace } from '../../platform/pace/index.ts';
import type { Peer, Peers } from '../peers/model.ts';
import { PeerError } from '../peers/model.ts';
import { type BlobToCopy, CopyFailedError, type CopyOutcome, wholeBytes } from './model.ts';
import { openAtPeer, peersFor, reasonOf } from './open-at-peers.ts';
import { PartOfBody } from './part-of-body.ts';
import type { CopyProgress } from './progress.ts';
import { CopySession } from './copy-session.ts';
import type { Turn } from './turns.ts';

export interface CopyParts {
  readonly database: Database;
  readonly blobs: ReplicaBlobs;
  readonly peers: Pick<Peers, 'all'>;
  readonly log: Logger;
  /** What an operator allows. */
  readonly limit: Pace;
  /** What clients of this region leave; not for what one of them waits for. */
  readonly giveWay: Pace;
  readonly progress: CopyProgress;
  /** Bytes that become durable at once. */
  readonly partBytes: number;
}

export interface CopyTask {
  readonly blob: BlobToCopy;
  readonly turn: Turn;
  /** Somebody waits for it, now. */
  readonly isUrgent: () => boolean;
  readonly signal: AbortSignal;
  /** What is here of it. */
  readonly received: { bytes: number };
}

/** Of one region in one attempt, as long as each of them brings the copy on. */
const maxBreaks = 5;

/**
 * Brings a blob into a repository: a link when the registry has it already, otherwise its bytes from the first region that has
 * them whole. Bytes that are not what the digest says are counted against the region and asked for elsewhere.
 * @throws CopyFailedError when no region gives it now, RegistryError STORAGE_FULL
 */
export async function copyBlob(parts: CopyParts, task: CopyTask): Promise<CopyOutcome> {
  const { blob, signal } = task;
  if ((await parts.blobs.has(blob)) || (await parts.blobs.link(blob))) return 'linked';
  const peers = peersFor(parts.peers, blob.source);
  const problems: string[] = [];
  let isAbsent = peers.length > 0;
  for (const peer of peers) {
    signal.throwIfAborted();
    try {
      if (await copyFrom(parts, task, peer)) return 'copied';
      problems.push(`the region ${peer.name} does not have it`);
    } catch (error) {
      signal.throwIfAborted();
      isAbsent = false;
      problems.push(problemOf(parts, blob, peer, error));
    }
  }
  // A region that is away may have it: only when all were asked it is nowhere.
  if (isAbsent && blob.isOptional && peers.length === parts.peers.all().length) return 'absent';
  throw new CopyFailedError(failureOf(blob, problems));
}

/** @throws what is not the fault of the region that was asked */
function problemOf({ progress, log }: CopyParts, { registryId, digest }: BlobToCopy, peer: Peer, error: unknown): string {
  const isDamaged = error instanceof PeerError ? error.kind === 'damaged' : error instanceof RegistryError && isDamage(error);
  if (!isDamaged && (error instanceof PeerError || error instanceof CopyFailedError)) return reasonOf(error);
  if (!isDamaged) throw error;
  progress.damaged(registryId, peer.name);
  log.warn({ region: peer.name, digest, reason: reasonOf(error) }, 'a region sent bytes that are not what their digest says');
  return `the region ${peer.name} sent bytes that are not ${digest}`;
}

function isDamage({ error }: RegistryError): boolean {
  return error === 'DIGEST_INVALID' || error === 'SIZE_INVALID';
}

function failureOf({ digest, repository }: BlobToCopy, problems: readonly string[]): string {
  if (problems.length === 0) return `the blob ${digest} of ${repository} cannot be copied: no other region answers`;
  return `the blob ${digest} of ${repository} cannot be copied: ${problems.join('; ')}`;
}

/** False: the region does not have it. */
function copyFrom(parts: CopyParts, task: CopyTask, peer: Peer): Promise<boolean> {
  return task.blob.sizeBytes <= wholeBytes ? copyWhole(parts, task, peer) : copyInParts(parts, task, peer);
}

async function copyWhole(parts: CopyParts, task: CopyTask, peer: Peer): Promise<boolean> {
  const { blob, signal, received } = task;
  const { sizeBytes } = blob;
  received.bytes = 0;
  const answer = await openAtPeer(peer, blob, 0, signal);
  if (answer === undefined) return false;
  const failure = firstFailure(answer.body);
  const body = partOf(parts, task, { peer, source: answer.body, sizeBytes });
  try {
    await parts.blobs.take(blob, { body, sizeBytes, signal });
    return true;
  } catch (error) {
    throw failure() ?? error;
  } finally {
    answer.body.destroy();
  }
}

/**
 * Part by part into an upload that outlives the process. What one region began another may finish; when the whole has another
 * digest, the copy begins anew and the region that finished it is blamed.
 */
async function copyInParts(parts: CopyParts, task: CopyTask, peer: Peer): Promise<boolean> {
  const { blob, signal } = task;
  const session = await CopySession.open(parts, blob);
  task.received.bytes = session.receivedBytes;
  for (let breaks = 0; session.receivedBytes < blob.sizeBytes; ) {
    const before = session.receivedBytes;
    const failure = await receiveFrom(parts, task, { peer, session });
    if (failure === 'absent') return false;
    if (failure === undefined) continue;
    breaks += 1;
    signal.throwIfAborted();
    if (session.receivedBytes === before || breaks > maxBreaks) throw failure.reason;
  }
  await session.finish(signal);
  return true;
}

/** One answer of a region, as far as it comes. What was received is kept, whatever happens. */
async function receiveFrom(
  parts: CopyParts,
  task: CopyTask,
  { peer, session }: { readonly peer: Peer; readonly session: CopySession },
): Promise<'absent' | undefined | { readonly reason: unknown }> {
  const { blob, turn, signal } = task;
  const answer = await openAtPeer(peer, blob, session.receivedBytes, signal);
  if (answer === undefined) return 'absent';
  const failure = firstFailure(answer.body);
  try {
    while (session.receivedBytes < blob.sizeBytes) {
      const sizeBytes = Math.min(parts.partBytes, blob.sizeBytes - session.receivedBytes);
      const end = session.receivedBytes + sizeBytes;
      await session.append({ body: partOf(parts, task, { peer, source: answer.body, sizeBytes }), sizeBytes, signal });
      if (session.receivedBytes < end) return { reason: failure() ?? new CopyFailedError(`the region ${peer.name} broke off`) };
      // Whoever waits takes long: the region is asked again rather than kept waiting.
      if (turn.isWanted()) break;
    }
  } finally {
    answer.body.destroy();
  }
  await turn.giveWay();
  return undefined;
}

function partOf(
  { limit, giveWay, progress }: CopyParts,
  { blob, isUrgent, signal, received }: CopyTask,
  { peer, source, sizeBytes }: { readonly peer: Peer; readonly source: Readable; readonly sizeBytes: number },
): PartOfBody {
  const count = (bytes: number): void => {
    progress.copied(blob.registryId, peer.name, bytes);
    received.bytes += bytes;
  };
  return new PartOfBody({ source, sizeBytes, paces: () => (isUrgent() ? [limit] : [limit, giveWay]), onBytes: count, signal });
}

/** Why a body broke off, rather than that it did. */
function firstFailure(body: NodeJS.EventEmitter): () => Error | undefined {
  let failure: Error | undefined;
  body.on('error', (error: Error) => {
    failure ??= error;
  });
  return () => failure;
}
