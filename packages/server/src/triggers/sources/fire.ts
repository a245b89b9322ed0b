import { RegistryError } from '../../errors/index.ts';
import type { RunTrigger } from '../../runs/index.ts';
import { decide } from './decide.ts';
import { fullCommit } from './full-commit.ts';
import { type ForgeName, type SourceEvent, refOf } from './model.ts';
import { findSource } from './queries.ts';
import { branchOf, isSameRepository, plainUrl } from './repository-address.ts';
import { lastCommitOf } from './source-state.ts';
import type { SourcesContext, Watch } from './sources-context.ts';
import { claimHead, settleHead } from './transactions.ts';

/** A process that died while it queued a run holds its commit no longer than this. */
const claimMs = 60_000;
/** A refusal of the queue that will pass. */
const passing = 429;

/** An event, with what is known beside it. */
export interface Occurrence {
  readonly event: SourceEvent;
  readonly forge: ForgeName;
  readonly defaultBranch?: string | undefined;
  /** What the forge calls it. */
  readonly id: string;
  /** `hook` or `poll`, for the record. */
  readonly how: 'hook' | 'poll';
}

export interface Outcome {
  readonly isFired: boolean;
  readonly reason: string;
  readonly run: string | null;
}

/**
 * Decides about an event, records the decision and queues the run. One commit of a ref is run once, whoever tells of it.
 * @throws TOOMANYREQUESTS and the like, after which the event may come again
 */
export async function handleEvent(context: SourcesContext, watch: Watch, occurrence: Occurrence): Promise<Outcome> {
  const { database, clock } = context;
  const { event } = occurrence;
  const place = placeOf(watch);
  const ref = refOf(event);
  const source = await findSource(database.read, place);
  const now = clock.now();
  const decision = decide(questionOf(watch, occurrence, source && lastCommitOf(source.state, ref, now)));
  const claim = { ...place, ref, now };
  if (!decision.isFired) {
    if (decision.isSeen && event.commit !== null)
      await database.write(claimHead, { ...claim, commit: event.commit, claimedUntil: null });
    return record(context, watch, occurrence, { ...decision, run: null });
  }
  const refuse = (why: string) => record(context, watch, occurrence, { isFired: false, reason: why, run: null });
  const full = await fullCommit(context, watch, event);
  if ('problem' in full) return refuse(`${decision.reason}, but ${full.problem}`);
  if (!(await database.write(claimHead, { ...claim, ...full, claimedUntil: now + claimMs })))
    return refuse(`${ref} was told by somebody else at the same time`);
  return queue(context, watch, { ...occurrence, event: { ...event, ...full } }, decision.reason);
}

async function queue(context: SourcesContext, watch: Watch, occurrence: Occurrence, reason: string): Promise<Outcome> {
  const { database, clock, tasks } = context;
  const { event } = occurrence;
  const commit = event.commit ?? '';
  const settled = { ...placeOf(watch), ref: refOf(event), commit };
  try {
    const run = await tasks.run({
      registry: watch.registry,
      task: watch.task,
      requestedBy: 'trigger',
      trigger: runTriggerOf(watch, occurrence),
      isTrusted: isTrusted(event),
      overrides: { commit: { commit, ...whereOf(event) } },
    });
    const status = { run: run.id, commit, isQueuedPosted: false, attempts: 0, nextAt: clock.now() };
    await database.write(settleHead, { ...settled, isDone: true, status });
    return await record(context, watch, occurrence, { isFired: true, reason, run: run.id });
  } catch (error) {
    await database.write(settleHead, { ...settled, isDone: false });
    if (!(error instanceof RegistryError)) throw error;
    const outcome = await record(context, watch, occurrence, {
      isFired: false,
      reason: `${reason}, but no run could be queued: ${error.message}`,
      run: null,
    });
    if (error.status >= passing) throw error;
    return outcome;
  }
}

function questionOf({ task, trigger }: Watch, { event, defaultBranch }: Occurrence, lastCommit: string | undefined) {
  return {
    event,
    isEnabled: trigger.status === 'Enabled' && task.properties.status === 'Enabled',
    events: trigger.sourceTriggerEvents,
    branch: branchNamed({ task, trigger }) ?? defaultBranch,
    tags: trigger.tags ?? [],
    paths: trigger.paths ?? [],
    lastCommit,
  };
}

/** The branch that somebody named: of the trigger, or behind the address that the files come from. */
export function branchNamed({ task, trigger }: Pick<Watch, 'task' | 'trigger'>): string | undefined {
  const { branch, repositoryUrl } = trigger.sourceRepository;
  const { contextPath = '' } = task.properties.step ?? {};
  return branch || branchOf(repositoryUrl) || (isSameRepository(repositoryUrl, contextPath) ? branchOf(contextPath) : undefined);
}

function isTrusted(event: SourceEvent): boolean {
  return event.kind === 'push' || !event.isFork;
}

/** What the agent fetches to find the commit. */
function whereOf(event: SourceEvent): { readonly ref: string; readonly url?: string } {
  if (event.kind === 'push') return { ref: event.refKind === 'tag' ? refOf(event) : event.name };
  return { ref: event.ref, ...(event.url !== undefined && { url: event.url }) };
}

const providerTypes: Readonly<Record<ForgeName, string>> = {
  github: 'Github',
  gitlab: 'Gitlab',
  gitea: 'Gitea',
  bitbucket: 'Bitbucket',
  azure: 'VisualStudioTeamService',
  generic: 'Git',
};

function runTriggerOf({ trigger }: Watch, { event, forge, id }: Occurrence): RunTrigger {
  return {
    kind: 'source',
    id,
    name: trigger.name,
    eventType: event.kind === 'push' ? 'commit' : 'pullrequest',
    commitId: event.commit ?? '',
    ...(event.kind === 'pullRequest' && { pullRequestId: event.number }),
    repositoryUrl: plainUrl(trigger.sourceRepository.repositoryUrl),
    branchName: event.kind === 'push' ? event.name : event.targetBranch,
    providerType: providerTypes[forge],
  };
}

async function record(
  context: SourcesContext,
  watch: Watch,
  { event, how, id }: Occurrence,
  { isFired, reason, run }: Outcome,
): Promise<Outcome> {
  await context.record({
    ...decisionPlaceOf(watch),
    kind: 'source',
    isFired,
    reason,
    run,
    details: { how, id, ref: refOf(event), commit: event.commit, ...(event.kind === 'pullRequest' && { isFork: event.isFork }) },
  });
  return { isFired, reason, run };
}

export function decisionPlaceOf({ registry, task, trigger }: Watch) {
  return { registryId: registry.id, task: task.name, trigger: trigger.name };
}

export function placeOf({ registry, task, trigger }: Watch) {
  return { registryId: registry.id, task: task.name, name: trigger.name };
}
