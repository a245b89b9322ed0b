import type { Decision, Plan, RetentionContext } from './model.ts';
import { type Outcome, deleteUntagged, untag } from './transactions.ts';
import { type Place, walk } from './walk.ts';

/** What was done, or would be in a dry run. */
export interface SweepTotals {
  readonly examined: number;
  readonly tagsRemoved: number;
  readonly manifestsRemoved: number;
  /** Of the manifests with their blobs: as much as becomes free if nothing else needs any of those. */
  readonly bytesRemoved: number;
  /** Items that stay because they are locked. */
  readonly locked: number;
  /** Items that were used, or came to be needed, between the look and the deletion. */
  readonly spared: number;
  readonly failed: number;
}

export const nothingDone: SweepTotals = {
  examined: 0,
  tagsRemoved: 0,
  manifestsRemoved: 0,
  bytesRemoved: 0,
  locked: 0,
  spared: 0,
  failed: 0,
};

export function sumOf(a: SweepTotals, b: SweepTotals): SweepTotals {
  const sum: Record<keyof SweepTotals, number> = { ...a };
  for (const name of Object.keys(nothingDone) as (keyof SweepTotals)[]) sum[name] += b[name];
  return sum;
}

export interface SweepOptions {
  readonly registryId: number;
  readonly plan: Plan;
  readonly from?: Place | undefined;
  readonly isDryRun: boolean;
  /** In a dry run, manifests whose tags would all go count as untagged. */
  readonly assumesUntagged?: boolean;
  /** Says after each page whether to go on. */
  readonly continues: (totals: SweepTotals) => Promise<boolean> | boolean;
  /** Is told what went, as it goes. */
  readonly onRemoved?: (decision: Decision) => void;
  readonly signal: AbortSignal;
}

export interface Swept {
  readonly totals: SweepTotals;
  /** Where to go on; undefined when everything was looked at. */
  readonly next: Place | undefined;
}

/** On PostgreSQL each transaction takes a pooled connection: leave most of them to requests. SQLite commits them together. */
const concurrency = { postgres: 3, sqlite: 32 } as const;

/** Decisions that wait for others of the same sweep; what is beyond this goes with the next one. */
const maxWaiting = 20_000;

/** Carries a plan out, page by page. One item is one transaction, which looks again: what was used meanwhile stays. */
export async function sweep(context: RetentionContext, options: SweepOptions): Promise<Swept> {
  const { plan, isDryRun, signal } = options;
  const { read: db } = context.database;
  const tally = new Tally(options.onRemoved);
  /** Images whose index goes, signatures whose image goes: after those. */
  let waiting: Decision[] = [];
  let next: Place | undefined;
  for await (const step of walk({ ...options, db, from: options.from, assumesUntagged: options.assumesUntagged === true })) {
    tally.add({ examined: step.examined, locked: step.locked });
    if (isDryRun) for (const decision of step.decisions) tally.removed(decision);
    else waiting.push(...(await removeAll(context, step.decisions, { ...options, tally })).slice(0, maxWaiting - waiting.length));
    if (await options.continues(tally.totals)) continue;
    next = step.next;
    break;
  }
  for (let before = Infinity; waiting.length > 0 && waiting.length < before; ) {
    signal.throwIfAborted();
    before = waiting.length;
    waiting = await removeAll(context, waiting, { ...options, tally, plan });
  }
  tally.add({ spared: waiting.length });
  return { totals: tally.totals, next };
}

interface Removing {
  readonly registryId: number;
  readonly plan: Pick<Plan, 'takesLocked'>;
  readonly tally: Tally;
}

/** Answers with those that something still needs. */
export async function removeAll(
  context: RetentionContext,
  decisions: readonly Decision[],
  { registryId, plan: { takesLocked }, tally }: Removing,
): Promise<Decision[]> {
  const { database, clock, log, garbageDelayMs } = context;
  const needed: Decision[] = [];
  const removeOne = async (decision: Decision): Promise<void> => {
    const { repository, name, updatedAt, action } = decision;
    const now = clock.now();
    const removal = { registryId, repository, name, updatedAt, takesLocked, dueAt: now + garbageDelayMs, now };
    try {
      const outcome = await database.write(action === 'untag' ? untag : deleteUntagged, removal);
      if (outcome === 'removed') context.onRemoved?.({ registryId, repository, name, isTag: action === 'untag' });
      if (outcome === 'needed') needed.push(decision);
      else tally.settled(decision, outcome);
    } catch (error) {
      log.error(
        { err: error, repository, name, action },
        'something that should go could not be deleted; the next round tries again',
      );
      tally.add({ failed: 1 });
    }
  };
  const size = concurrency[database.engine];
  for (let start = 0; start < decisions.length; start += size)
    await Promise.all(decisions.slice(start, start + size).map(removeOne));
  return needed;
}

/** Counts what was done. */
export class Tally {
  readonly #onRemoved: ((decision: Decision) => void) | undefined;
  #totals: SweepTotals = nothingDone;

  constructor(onRemoved: ((decision: Decision) => void) | undefined) {
    this.#onRemoved = onRemoved;
  }

  get totals(): SweepTotals {
    return this.#totals;
  }

  add(more: Partial<SweepTotals>): void {
    const totals: Record<keyof SweepTotals, number> = { ...this.#totals };
    for (const name of Object.keys(totals) as (keyof SweepTotals)[]) totals[name] += more[name] ?? 0;
    this.#totals = totals;
  }

  removed(decision: Decision): void {
    if (decision.action === 'untag') this.add({ tagsRemoved: 1 });
    else this.add({ manifestsRemoved: 1, bytesRemoved: decision.sizeBytes });
    this.#onRemoved?.(decision);
  }

  settled(decision: Decision, outcome: Exclude<Outcome, 'needed'>): void {
    if (outcome === 'removed') this.removed(decision);
    else if (outcome === 'locked') this.add({ locked: 1 });
    else if (outcome === 'changed') this.add({ spared: 1 });
  }
}
