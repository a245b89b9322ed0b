import {
  type TransactionDefinition,
  type WriteQueries,
  defineTransaction,
  lockFreeRows,
  lockRows,
} from '../../platform/database/index.ts';
import type { SealedText } from '../../tasks/index.ts';
import type { ForgeName } from './model.ts';
import { type StoredSource, sourceOfRow } from './queries.ts';
import {
  type InstalledHook,
  type PendingStatus,
  type SeenHead,
  type SourcePlace,
  type SourceState,
  lastCommitOf,
  problemText,
  withHead,
  withProblem,
  withStatus,
} from './source-state.ts';

function rowOf(tx: WriteQueries, { registryId, task, name }: SourcePlace) {
  return tx
    .selectFrom('task_sources')
    .select(['registry_id', 'task', 'name', 'state', 'next_poll_at', 'failures', 'problem'])
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('name', '=', name);
}

async function lockedSource(tx: WriteQueries, place: SourcePlace): Promise<StoredSource | undefined> {
  const row = await lockRows(rowOf(tx, place)).executeTakeFirst();
  return row && sourceOfRow(row);
}

interface Changes {
  readonly next_poll_at?: number | null;
  readonly failures?: number;
}

async function keep(tx: WriteQueries, place: SourcePlace, state: SourceState, more: Changes = {}): Promise<void> {
  await tx
    .updateTable('task_sources')
    .set({ state: JSON.stringify(state), problem: problemText(state), ...more })
    .where('registry_id', '=', place.registryId)
    .where('task', '=', place.task)
    .where('name', '=', place.name)
    .execute();
}

export interface EnsureSource extends SourcePlace {
  readonly repository: string;
  /** Of a new secret, for when there is none yet or it is another repository's. */
  readonly secret: SealedText;
  readonly isPolled: boolean;
  readonly now: number;
}

/** The row of a trigger as its task is now. Another repository begins anew, with another secret; its hook is still known. */
export const ensureSource = defineTransaction('sources.ensure', async (tx, input: EnsureSource): Promise<void> => {
  const { registryId, task, name, repository, secret, isPolled, now } = input;
  const fresh: SourceState = { repository, secret, heads: [], statuses: [], problems: {} };
  const next_poll_at = isPolled ? now : null;
  await tx
    .insertInto('task_sources')
    .values({ registry_id: registryId, task, name, state: JSON.stringify(fresh), next_poll_at, failures: 0, problem: null })
    .onConflict((conflict) => conflict.columns(['registry_id', 'task', 'name']).doNothing())
    .execute();
  const known = await lockedSource(tx, input);
  if (known === undefined) return;
  const { hook } = known.state;
  const isSame = known.state.repository === repository;
  const isPollRight = isPolled === (known.nextPollAt !== null);
  let state = isSame ? known.state : { ...fresh, ...(hook !== undefined && { hook }) };
  // What happened while nobody looked is no news.
  if (isPolled && !isPollRight) state = { ...state, heads: [], isLooked: false };
  if (!isSame || !isPollRight) await keep(tx, input, state, { ...(!isPollRight && { next_poll_at, failures: 0 }) });
});

export const removeSource = defineTransaction('sources.remove', async (tx, place: SourcePlace): Promise<void> => {
  const { registryId, task, name } = place;
  await tx
    .deleteFrom('hook_deliveries')
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('trigger_name', '=', name)
    .execute();
  await tx
    .deleteFrom('task_sources')
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('name', '=', name)
    .execute();
});

export interface TakeDeliveries extends SourcePlace {
  readonly deliveries: readonly string[];
  readonly forge: ForgeName;
  readonly now: number;
  readonly forgetBefore: number;
}

/** Remembers deliveries that were dealt with, and forgets old ones of the trigger. */
export const takeDeliveries = defineTransaction('sources.take-deliveries', async (tx, input: TakeDeliveries): Promise<void> => {
  const { registryId: registry_id, task, name: trigger_name, deliveries, forge, now } = input;
  await tx
    .deleteFrom('hook_deliveries')
    .where('registry_id', '=', registry_id)
    .where('task', '=', task)
    .where('trigger_name', '=', trigger_name)
    .where('received_at', '<', input.forgetBefore)
    .execute();
  await tx
    .insertInto('hook_deliveries')
    .values(deliveries.map((delivery) => ({ registry_id, task, trigger_name, delivery, received_at: now })))
    .onConflict((conflict) => conflict.columns(['registry_id', 'task', 'trigger_name', 'delivery']).doNothing())
    .execute();
  const source = await lockedSource(tx, input);
  if (source !== undefined && source.state.forge !== forge) await keep(tx, input, { ...source.state, forge });
});

export interface ClaimHead extends SourcePlace {
  readonly ref: string;
  readonly commit: string;
  readonly now: number;
  /** Null: there is nothing to queue, it is only seen. */
  readonly claimedUntil: number | null;
}

/** Makes a commit the last of its ref. False: it is that already, because somebody else was quicker. */
export const claimHead = defineTransaction('sources.claim-head', async (tx, input: ClaimHead): Promise<boolean> => {
  const { ref, commit, now, claimedUntil } = input;
  const source = await lockedSource(tx, input);
  if (source === undefined) return false;
  const previous = lastCommitOf(source.state, ref, now);
  if (previous === commit) return false;
  const head: SeenHead = claimedUntil === null ? { ref, commit } : { ref, commit, claimedUntil, previous };
  await keep(tx, input, withHead(source.state, head));
  return true;
});

export interface SettleHead extends SourcePlace {
  readonly ref: string;
  readonly commit: string;
  /** False: its run was refused, and it may come again. */
  readonly isDone: boolean;
  /** Whose states have to be told. */
  readonly status?: PendingStatus;
}

/** Ends a claim. */
export const settleHead = defineTransaction('sources.settle-head', async (tx, input: SettleHead): Promise<void> => {
  const { ref, commit, isDone, status } = input;
  const source = await lockedSource(tx, input);
  if (source === undefined) return;
  let { state } = source;
  const head = state.heads.find((seen) => seen.ref === ref && seen.commit === commit);
  if (head !== undefined && isDone) state = withHead(state, { ref, commit });
  if (head !== undefined && !isDone && head.previous !== undefined) state = withHead(state, { ref, commit: head.previous });
  if (head !== undefined && !isDone && head.previous === undefined)
    state = { ...state, heads: state.heads.filter((seen) => seen !== head) };
  if (status !== undefined) state = withStatus(state, status);
  await keep(tx, input, state);
});

/** Takes what has been due the longest and holds it; undefined: nothing is due. */
export const takeDuePoll = defineTransaction(
  'sources.take-due-poll',
  async (tx, { now, heldUntil }: { readonly now: number; readonly heldUntil: number }): Promise<StoredSource | undefined> => {
    const row = await lockFreeRows(
      tx
        .selectFrom('task_sources')
        .select(['registry_id', 'task', 'name', 'state', 'next_poll_at', 'failures', 'problem'])
        .where('next_poll_at', '<=', now)
        .orderBy('next_poll_at')
        .limit(1),
    ).executeTakeFirst();
    if (row === undefined) return undefined;
    const source = sourceOfRow(row);
    await keep(tx, source, source.state, { next_poll_at: heldUntil });
    return source;
  },
);

export interface EndPoll extends SourcePlace {
  readonly nextAt: number;
  /** Undefined: it worked. */
  readonly problem?: string;
  /** Of a first look: what was there. */
  readonly firstHeads?: readonly SeenHead[];
}

export const endPoll = defineTransaction('sources.end-poll', async (tx, input: EndPoll): Promise<void> => {
  const source = await lockedSource(tx, input);
  if (source === undefined) return;
  const { problem, firstHeads, nextAt } = input;
  let state = withProblem(source.state, 'poll', problem);
  if (firstHeads !== undefined) {
    const known = new Set(state.heads.map(({ ref }) => ref));
    state = { ...state, isLooked: true, heads: [...firstHeads.filter(({ ref }) => !known.has(ref)), ...state.heads] };
  }
  // Whoever no longer polls has said so meanwhile.
  const next_poll_at = source.nextPollAt === null ? null : nextAt;
  await keep(tx, input, state, { next_poll_at, failures: problem === undefined ? 0 : source.failures + 1 });
});

export interface HoldHook extends SourcePlace {
  readonly now: number;
  readonly heldUntil: number;
}

/** Whether this process is to look after the hook at the forge now. */
export const holdHook = defineTransaction('sources.hold-hook', async (tx, input: HoldHook): Promise<boolean> => {
  const source = await lockedSource(tx, input);
  if (source === undefined || (source.state.hookRetryAt ?? 0) > input.now) return false;
  await keep(tx, input, { ...source.state, hookRetryAt: input.heldUntil });
  return true;
});

export interface EndHook extends SourcePlace {
  /** Null: there is none any more. */
  readonly hook: InstalledHook | null;
  readonly problem?: string;
  readonly retryAt?: number;
}

export const endHook = defineTransaction('sources.end-hook', async (tx, input: EndHook): Promise<void> => {
  const source = await lockedSource(tx, input);
  if (source === undefined) return;
  const { hook, problem, retryAt } = input;
  const { hook: _, hookRetryAt: __, hookFailures, ...rest } = withProblem(source.state, 'hook', problem);
  await keep(tx, input, {
    ...rest,
    ...(hook !== null && { hook }),
    ...(problem !== undefined && { hookFailures: (hookFailures ?? 0) + 1 }),
    ...(retryAt !== undefined && { hookRetryAt: retryAt }),
  });
});

export interface KeepStatus extends SourcePlace {
  readonly run: string;
  /** Null: everything is told, or given up. */
  readonly status: PendingStatus | null;
  readonly problem?: string;
}

export const keepStatus = defineTransaction('sources.keep-status', async (tx, input: KeepStatus): Promise<void> => {
  const source = await lockedSource(tx, input);
  if (source === undefined) return;
  const { run, status, problem } = input;
  const state = withProblem(source.state, 'status', problem);
  const statuses = state.statuses.filter((pending) => pending.run !== run);
  await keep(tx, input, status === null ? { ...state, statuses } : withStatus(state, status));
});

export const sourceTriggerTransactions: readonly TransactionDefinition<never, unknown>[] = [
  ensureSource,
  removeSource,
  takeDeliveries,
  claimHead,
  settleHead,
  takeDuePoll,
  endPoll,
  holdHook,
  endHook,
  keepStatus,
];
