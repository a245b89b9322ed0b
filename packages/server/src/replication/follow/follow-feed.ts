import { setTimeout as delay } from 'node:timers/promises';
import type { RegionFeedRow } from '../../platform/database/index.ts';
import { mergeWithProgress } from '../merge/merge-page.ts';
import type { Told } from '../merge/model.ts';
import { toldOf, toldOfChanges } from '../merge/told.ts';
import { type Peer, PeerError, feedVersion } from '../peers/model.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { type HeldFeed, noteFeed, takeFeed } from './feed-transactions.ts';

export interface FollowTiming {
  /** How long a feed may wait for something to change. */
  readonly pollSeconds: number;
  /** Facts of a page. */
  readonly pageSize: number;
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** How long a process that says nothing keeps its feeds. */
  readonly holdMs: number;
  /** Between looks whether a feed that cannot be followed now can be. */
  readonly lookMs: number;
}

export const usualTiming: FollowTiming = {
  pollSeconds: 25,
  pageSize: 200,
  firstRetryMs: 1_000,
  lastRetryMs: 30_000,
  holdMs: 15_000,
  lookMs: 5_000,
};

export interface FeedToFollow {
  readonly registryId: number;
  readonly registry: string;
  readonly peer: Peer;
  /** Of this process. */
  readonly holder: string;
  readonly timing: FollowTiming;
}

/**
 * Follows what another region tells of a registry until `signal` aborts: a snapshot first, then changes. A failure is noted in
 * the feed's row, and tried again with longer and longer pauses.
 */
export async function followFeed(context: ReplicationContext, feed: FeedToFollow, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const held = await take(context, feed);
      if (held === undefined || held.state === 'stale') await pause(feed.timing.lookMs, signal);
      else {
        await greet(context, feed, signal);
        await read(context, feed, { ...held, onAnswer: () => (failures = 0) }, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      await noteFailure(context, feed, error);
      failures += 1;
      await pauseAfter(feed, failures, signal);
    }
  }
}

function take({ database, clock }: ReplicationContext, { registryId, peer, holder, timing }: FeedToFollow) {
  const now = clock.now();
  const isAlone = database.engine === 'sqlite';
  return database.write(takeFeed, { registryId, region: peer.name, holder, heldUntil: now + timing.holdMs, now, isAlone });
}

/** @throws PeerError `version`, `clock` */
async function greet(context: ReplicationContext, { peer }: FeedToFollow, signal: AbortSignal): Promise<void> {
  const facts = await peer.facts(signal);
  if (facts.feedVersion !== feedVersion)
    throw new PeerError('version', {
      region: peer.name,
      message: `${peer.name} runs version ${facts.version}, which tells its changes in form ${facts.feedVersion}; this region reads form ${feedVersion}`,
      remedy: 'Run the same version in all regions.',
    });
  skewOf(context, peer, facts.now);
}

/** Milliseconds by which the other clock is ahead. @throws PeerError `clock` */
function skewOf({ clock, settings }: ReplicationContext, peer: Peer, now: number): number {
  const skewMs = now - clock.now();
  if (Math.abs(skewMs) <= settings.maxClockSkewMs) return skewMs;
  throw new PeerError('clock', {
    region: peer.name,
    message: `the clock of ${peer.name} is ${Math.round(Math.abs(skewMs) / 1000)} seconds ${skewMs > 0 ? 'ahead of' : 'behind'} this region's`,
    remedy: 'Set the clocks of all regions (NTP).',
  });
}

type Held = HeldFeed & { readonly onAnswer: () => void };

/** Reads page after page; resolves when another process has taken the feed over. */
async function read(context: ReplicationContext, feed: FeedToFollow, held: Held, signal: AbortSignal): Promise<void> {
  let place: Place = held;
  while (!signal.aborted) {
    const next = await (isInSnapshot(place) ? readSnapshotPage : readChangesPage)(context, feed, place, signal);
    held.onAnswer();
    if (next === undefined) return;
    // A restored region has forgotten deeds of its own that others know: once it has read all that came after its old cursor,
    // it has them again.
    place = { ...next, isCaughtUp: place.isCaughtUp === true || next.isCaughtUp === true };
  }
}

interface Place extends Pick<HeldFeed, 'cursor' | 'snapshot_after' | 'snapshot_cursor'> {
  /** Since this process began everything was read once, with what was done here first. */
  readonly isCaughtUp?: boolean;
}

function isInSnapshot({ cursor, snapshot_cursor }: Place): boolean {
  return cursor === '' || snapshot_cursor !== null;
}

/** Undefined: another process follows the feed now. */
async function readSnapshotPage(
  context: ReplicationContext,
  feed: FeedToFollow,
  place: Place,
  signal: AbortSignal,
): Promise<Place | undefined> {
  const { peer, registry } = feed;
  const page = await peer.snapshot(registry, { after: place.snapshot_after ?? undefined }, signal);
  const begun = place.snapshot_cursor ?? page.cursor;
  const isEnd = page.next === null;
  const next = isEnd
    ? { cursor: begun, snapshot_after: null, snapshot_cursor: null }
    : { cursor: '', snapshot_after: page.next, snapshot_cursor: begun };
  const told = toldOf(page.facts);
  const progress = { state: isEnd ? 'following' : 'snapshot', behind: null, ...next };
  return (await merge(context, feed, { told, now: page.now, isSnapshot: true, progress })) ? next : undefined;
}

async function readChangesPage(
  context: ReplicationContext,
  feed: FeedToFollow,
  place: Place,
  signal: AbortSignal,
): Promise<Place | undefined> {
  const { peer, registry, timing } = feed;
  const { pageSize: limit, pollSeconds } = timing;
  const withOwn = place.isCaughtUp !== true;
  const from = { after: place.cursor, limit, waitSeconds: withOwn ? 0 : pollSeconds, withOwn };
  const page = await peer.changes(registry, from, signal);
  const next = { cursor: page.next, snapshot_after: null, snapshot_cursor: null };
  const told = toldOfChanges(page.changes);
  const progress = { state: 'following', behind: page.behind, ...next };
  const isHeld = await merge(context, feed, { told, now: page.now, isSnapshot: false, progress });
  return isHeld ? { ...next, isCaughtUp: page.behind === 0 } : undefined;
}

interface ReadPage {
  readonly told: readonly Told[];
  readonly now: number;
  readonly isSnapshot: boolean;
  readonly progress: Omit<Place, 'isCaughtUp'> & Pick<RegionFeedRow, 'state' | 'behind'>;
}

async function merge(
  context: ReplicationContext,
  { registryId, peer, holder }: FeedToFollow,
  { told, now, isSnapshot, progress }: ReadPage,
): Promise<boolean> {
  const skew_ms = skewOf(context, peer, now);
  const set = { ...progress, answered_at: context.clock.now(), skew_ms, problem: null, remedy: null } as const;
  const page = { registryId, source: peer.name, told, toldAt: now, isSnapshot };
  return (await mergeWithProgress(context, page, { holder, set })).isHeld;
}

/** What does not pass by itself. A region that answers with an error of its own may be making itself ready. */
const refusals: readonly string[] = ['unauthenticated', 'not-here', 'version', 'clock', 'damaged'];

async function noteFailure(context: ReplicationContext, feed: FeedToFollow, error: unknown): Promise<void> {
  const { registryId, registry, peer, holder } = feed;
  const name = { registryId, region: peer.name, holder };
  if (!(error instanceof PeerError)) {
    context.log.error({ err: error, peer: peer.name, registry }, 'what a region told could not be taken over; it is tried again');
    const problem = `what ${peer.name} tells could not be taken over`;
    const remedy = 'Look at the log of this region; it is tried again by itself.';
    await context.database.write(noteFeed, { ...name, set: { state: 'refused', problem, remedy } }).catch(() => undefined);
    return;
  }
  if (error.kind === 'cursor-unknown') {
    context.log.info({ peer: peer.name, registry }, 'a region does not know this cursor any more: its content is read anew');
    const set = { state: 'snapshot', cursor: '', snapshot_after: null, snapshot_cursor: null, behind: null };
    await context.database.write(noteFeed, { ...name, set });
    return;
  }
  const { message: problem, remedy } = error;
  const set = { state: stateAfter(error), problem, remedy };
  await context.database.write(noteFeed, { ...name, set, damaged: error.kind === 'damaged' ? 1 : 0 });
}

function stateAfter({ kind }: PeerError): string {
  if (kind === 'too-old') return 'stale';
  return refusals.includes(kind) ? 'refused' : 'unreachable';
}

/** Longer after each failure, and never the same: regions must not come back all at once. Cut short when the region is up again. */
async function pauseAfter({ peer, timing }: FeedToFollow, failures: number, signal: AbortSignal): Promise<void> {
  const { firstRetryMs, lastRetryMs } = timing;
  const longest = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 20));
  let leftMs = longest * (0.5 + Math.random() / 2);
  const wasUp = peer.isUp;
  while (leftMs > 0 && !signal.aborted) {
    await pause(Math.min(leftMs, firstRetryMs), signal);
    leftMs -= firstRetryMs;
    if (peer.isUp && !wasUp) return;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
