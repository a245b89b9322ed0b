import { RegistryError } from '../../errors/index.ts';
import { branchNamed, decisionPlaceOf, handleEvent } from './fire.ts';
import { ListRefsError, type RemoteRef, type RemoteRefs, listRefs } from './list-refs.ts';
import { matchesGlobs } from './match-globs.ts';
import { type PushEvent, refParts } from './model.ts';
import { type StoredSource, isPollDue } from './queries.ts';
import { plainUrl } from './repository-address.ts';
import { lastCommitOf, maxHeads } from './source-state.ts';
import { type SourcesContext, type Watch, findWatch, tokenOf } from './sources-context.ts';
import { endPoll, takeDuePoll } from './transactions.ts';

/** A process that died while it looked holds the row no longer than this; a look takes less. */
const holdMs = 180_000;
const maxPauseMs = 3_600_000;
const minPollSeconds = 60;
/** Runs that one look queues at the most; the rest is of the next. */
const maxRunsAtOnce = 20;

/** Looks at every repository whose time has come, one after the other. Of several processes one does. */
export async function pollDueSources(context: SourcesContext): Promise<void> {
  const { database, clock, signal } = context;
  while (!signal.aborted && (await isPollDue(database.read, clock.now()))) {
    const now = clock.now();
    const due = await database.write(takeDuePoll, { now, heldUntil: now + holdMs });
    if (due === undefined) return;
    await pollSource(context, due);
  }
}

async function pollSource(context: SourcesContext, source: StoredSource): Promise<void> {
  const { database, clock, log } = context;
  const registry = context.registryById(source.registryId);
  const watch = registry && (await findWatch(context, registry, source));
  const place = { registryId: source.registryId, task: source.task, name: source.name };
  const pollMs = Math.max(watch?.trigger.pollSeconds ?? 0, minPollSeconds) * 1000;
  if (watch === undefined) {
    // The task was deleted by another process, which removes the row.
    await database.write(endPoll, { ...place, nextAt: clock.now() + maxPauseMs });
    return;
  }
  let problem: string | undefined;
  let firstHeads: readonly RemoteRef[] | undefined;
  try {
    const { url, token } = { url: plainUrl(watch.trigger.sourceRepository.repositoryUrl), token: tokenOf(context, watch) };
    const remote = await listRefs(context.outbound, { url, token, signal: context.signal });
    const refs = remote.refs.filter(({ ref }) => isWatched(watch, remote, ref)).slice(0, maxHeads);
    if (source.state.isLooked === true) await compare(context, watch, { source, remote, refs });
    else firstHeads = refs;
  } catch (error) {
    if (context.signal.aborted) {
      await database.write(endPoll, { ...place, nextAt: clock.now() });
      return;
    }
    if (!(error instanceof ListRefsError) && !(error instanceof RegistryError))
      log.error({ err: error, task: source.task }, 'a look at the repository of a task failed');
    problem =
      error instanceof ListRefsError || error instanceof RegistryError ? error.message : 'it failed: see the log of the server';
  }
  if (problem !== undefined && source.state.problems.poll !== problem)
    await context.record({
      ...decisionPlaceOf(watch),
      kind: 'source',
      isFired: false,
      reason: `the repository could not be looked at: ${problem}`,
      run: null,
      details: { how: 'poll' },
    });
  const nextAt = clock.now() + pauseOf(pollMs, problem === undefined ? 0 : source.failures + 1);
  await database.write(endPoll, {
    ...place,
    nextAt,
    ...(problem !== undefined && { problem }),
    ...(firstHeads !== undefined && { firstHeads }),
  });
}

/** Ever longer after failures, and never at one moment for all triggers that were made together. */
function pauseOf(pollMs: number, failures: number): number {
  const ms = failures === 0 ? pollMs : Math.min(pollMs * 2 ** Math.min(failures, 10), Math.max(maxPauseMs, pollMs));
  return Math.round(ms * (0.9 + Math.random() * 0.2));
}

/** Whether the trigger may be concerned, so that only those refs are remembered. */
function isWatched(watch: Watch, { head }: RemoteRefs, ref: string): boolean {
  const parts = refParts(ref);
  if (parts === undefined) return false;
  if (parts.refKind === 'tag') return (watch.trigger.tags ?? []).length > 0 && matchesGlobs(watch.trigger.tags ?? [], parts.name);
  const branch = branchNamed(watch) ?? head;
  return branch === undefined || parts.name === branch || matchesGlobs([branch], parts.name);
}

interface Look {
  readonly source: StoredSource;
  readonly remote: RemoteRefs;
  readonly refs: readonly RemoteRef[];
}

async function compare(context: SourcesContext, watch: Watch, { source, remote, refs }: Look): Promise<void> {
  const now = context.clock.now();
  const moved = refs.filter(({ ref, commit }) => lastCommitOf(source.state, ref, now) !== commit);
  const known = new Set(source.state.heads.map(({ commit }) => commit));
  for (const { ref, commit } of moved.slice(0, maxRunsAtOnce)) {
    const parts = refParts(ref);
    if (parts === undefined) continue;
    const isCreated = !source.state.heads.some((seen) => seen.ref === ref);
    const event: PushEvent = {
      kind: 'push',
      ...parts,
      commit,
      isCreated,
      // A branch that begins where another one is brings nothing new.
      commitCount: isCreated && known.has(commit) ? 0 : undefined,
      changedFiles: undefined,
    };
    await handleEvent(context, watch, {
      event,
      forge: source.state.forge ?? 'generic',
      defaultBranch: remote.head,
      id: `${ref}@${commit}`,
      how: 'poll',
    });
  }
}
