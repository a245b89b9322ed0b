import type { Run } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { type RunFacts, isEnded } from '../../runs/index.ts';
import { ForgeClient, ForgeError } from './api/forge-client.ts';
import { forgeRepositoryOf } from './api/forge-repository.ts';
import { type CommitStatus, statusCallOf } from './api/forge-status.ts';
import { type StoredSource, sourcesWithStatuses } from './queries.ts';
import type { PendingStatus } from './source-state.ts';
import { type SourcesContext, type Watch, findWatch, tokenOf } from './sources-context.ts';
import { keepStatus } from './transactions.ts';

const firstPauseMs = 10_000;
const maxAttempts = 6;

/** Tells forges what became of the commits that were run: of every source, or of those of one task. */
export async function postStatuses(
  context: SourcesContext,
  only?: { readonly registryId: number; readonly task: string },
): Promise<void> {
  for (const source of await sourcesWithStatuses(context.database.read, only)) {
    for (const status of source.state.statuses) {
      if (context.signal.aborted) return;
      if (status.nextAt <= context.clock.now()) await post(context, source, status);
    }
  }
}

async function post(context: SourcesContext, source: StoredSource, pending: PendingStatus): Promise<void> {
  const { database, runs, clock } = context;
  const { registryId, task, name } = source;
  const place = { registryId, task, name, run: pending.run };
  const registry = context.registryById(registryId);
  const [watch, run] = await Promise.all([registry && findWatch(context, registry, source), runs.find(registryId, pending.run)]);
  const target = watch && targetOf(context, watch, source);
  if (watch === undefined || run === undefined || target === undefined) {
    await database.write(keepStatus, { ...place, status: null });
    return;
  }
  const hasEnded = isEnded(run.status);
  // It is on its way, and the forge knows.
  if (!hasEnded && pending.isQueuedPosted) return;
  try {
    await target.client.call(statusCallOf(target.repository, await statusOf(context, watch, run, pending.commit)));
    await database.write(keepStatus, { ...place, status: hasEnded ? null : { ...pending, isQueuedPosted: true, attempts: 0 } });
  } catch (error) {
    if (context.signal.aborted || !(error instanceof ForgeError)) throw error;
    const attempts = pending.attempts + 1;
    const isLast = error.isFinal || attempts >= maxAttempts;
    const status = { ...pending, attempts, nextAt: clock.now() + firstPauseMs * 2 ** attempts };
    await database.write(keepStatus, { ...place, problem: error.message, status: isLast ? null : status });
    if (isLast) context.log.warn({ task, run: pending.run, reason: error.message }, 'a commit status could not be posted');
  }
}

function targetOf(context: SourcesContext, watch: Watch, { state }: StoredSource) {
  const repository = forgeRepositoryOf(watch.trigger, state.forge);
  if (repository === undefined) return undefined;
  try {
    const token = tokenOf(context, watch);
    const { outbound, signal } = context;
    return token === undefined
      ? undefined
      : { repository, client: new ForgeClient({ outbound, forge: repository.forge, token, signal }) };
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

async function statusOf(
  { runs, publicOrigin }: SourcesContext,
  { registry, task }: Watch,
  run: RunFacts,
  commit: string,
): Promise<CommitStatus> {
  const origin = publicOrigin(registry);
  return {
    commit,
    context: `berth/${task.name}`,
    state: stateOf(run),
    description: descriptionOf(await runs.document(run)),
    targetUrl: origin === undefined ? undefined : `${origin}/berth/v1/runs/${run.id}`,
  };
}

function stateOf({ status }: RunFacts): CommitStatus['state'] {
  switch (status) {
    case 'Succeeded':
      return 'success';
    case 'Failed':
    case 'Timeout':
      return 'failure';
    case 'Canceled':
      return 'canceled';
    case 'Error':
      return 'error';
    case 'Queued':
    case 'Started':
    case 'Running':
      return 'pending';
  }
}

/** Nothing that the run itself wrote: it may be anybody's. */
function descriptionOf({ id, status, steps, startedAt, finishedAt }: Run): string {
  const failed = steps.find(({ state }) => state === 'failed');
  const running = steps.find(({ state }) => state === 'running');
  const took =
    startedAt !== null && finishedAt !== null ? ` after ${durationOf(Date.parse(finishedAt) - Date.parse(startedAt))}` : '';
  const words = {
    Queued: 'is queued',
    Started: 'has begun',
    Running: 'is running',
    Succeeded: 'succeeded',
    Failed: 'failed',
  } as const;
  const others = { Canceled: 'was canceled', Error: 'could not be executed', Timeout: 'took too long' } as const;
  const where = failed === undefined ? (running === undefined ? '' : ` in step ${running.id}`) : ` in step ${failed.id}`;
  return `run ${id} ${{ ...words, ...others }[status]}${status === 'Succeeded' ? '' : where}${took}`;
}

function durationOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
