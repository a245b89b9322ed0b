import { RegistryError } from '../../errors/index.ts';
import { parseCron } from '../../platform/cron/index.ts';
import { isEnded } from '../../runs/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { TriggerDecision } from '../decisions/model.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { isTimerDue } from './queries.ts';
import { type Ticks, maxCounted, ticksSince } from './ticks.ts';
import { type StoredTimer, endTick, takeDueTimer } from './transactions.ts';

/** A process that died while it queued a run holds the timer no longer than this. */
const holdMs = 60_000;
/** When a queue that is full is tried again; a tick is given up once it is too old. */
const retryMs = 15_000;
const passing = 429;
/** Of the newest, to find one that a process queued before it died. */
const maxRunsSeen = 50;

/** Runs the tasks whose timers are due, one after the other. Of several processes one takes each tick. */
export async function runDueTimers(context: TriggersContext): Promise<void> {
  const { database, clock, log, signal } = context;
  while (!signal.aborted && (await isTimerDue(database.read, clock.now()))) {
    const now = clock.now();
    const heldUntil = now + holdMs;
    const timer = await database.write(takeDueTimer, { now, heldUntil });
    if (timer === undefined) return;
    try {
      await tick(context, timer, heldUntil);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error, task: timer.task, timer: timer.name }, 'a timer could not run its task; it is tried again');
    }
  }
}

type Said = Pick<TriggerDecision, 'isFired' | 'reason' | 'run' | 'details'>;

interface Outcome {
  readonly decisions: readonly Said[];
  readonly run?: string | undefined;
  /** Absent: by the schedule. */
  readonly retryAt?: number;
}

async function tick(context: TriggersContext, timer: StoredTimer, heldUntil: number): Promise<void> {
  const { database, clock } = context;
  const { registry_id: registryId, task, name, next_at: due } = timer;
  const now = clock.now();
  const ticks = ticksSince(parseCron(timer.schedule, timer.time_zone), due ?? now, now);
  const { decisions, run, retryAt } = await outcomeOf(context, timer, ticks);
  const place = { registryId, task, name };
  await database.write(endTick, {
    ...place,
    heldUntil,
    run,
    now,
    due: retryAt === undefined ? { nextAt: ticks.next ?? null } : { retryAt },
    decisions: decisions.map((said) => ({ registryId, task, trigger: name, kind: 'timer' as const, ...said })),
  });
}

async function outcomeOf(context: TriggersContext, timer: StoredTimer, { onTime, missed }: Ticks): Promise<Outcome> {
  const { tasks, registries } = context;
  const registry = registries.byId(timer.registry_id);
  const task = registry && (await tasks.find(timer.registry_id, timer.task));
  const trigger = task?.properties.trigger.timerTriggers.find(({ name }) => name === timer.name);
  // Deleted by another process: its rows go with the next look at all tasks.
  if (registry === undefined || task === undefined || trigger === undefined) return { decisions: [] };
  const skipped: Said[] = [];
  const isMadeUp = timer.catch_up === 1;
  if (missed !== undefined && !isMadeUp) skipped.push({ isFired: false, run: null, ...missedText(missed), details: { missed } });
  const occurrence = onTime ?? (isMadeUp ? missed?.last : undefined);
  if (occurrence === undefined) return { decisions: skipped };
  const scheduleOccurrence = new Date(occurrence).toISOString();
  const details = { scheduleOccurrence, ...(missed !== undefined && isMadeUp && { missed }) };
  const refuse = (reason: string, retryAt?: number): Outcome => ({
    decisions: [...skipped, { isFired: false, reason, run: null, details }],
    ...(retryAt !== undefined && { retryAt }),
  });
  if (task.properties.status !== 'Enabled') return refuse('the task is disabled');
  if (trigger.status !== 'Enabled') return refuse('the timer is disabled');
  const before = timer.overlap === 'skip' ? await goingOn(context, timer) : undefined;
  if (before !== undefined) return refuse(`skipped: the run ${before} of this timer goes on still`);
  const reason = onTime === undefined ? 'it makes up for what was missed' : 'its time has come';
  try {
    const run = await queueOnce(context, { registry, task, name: timer.name, scheduleOccurrence });
    return { decisions: [...skipped, { isFired: true, reason, run, details }], run };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const problem = `${reason}, but no run could be queued: ${error.message}`;
    return error.status >= passing ? refuse(problem, context.clock.now() + retryMs) : refuse(problem);
  }
}

function missedText({ count, first, last }: NonNullable<Ticks['missed']>): { readonly reason: string } {
  const many = count >= maxCounted ? `${count} times or more` : count === 1 ? 'once' : `${count} times`;
  return {
    reason: `missed ${many}, from ${new Date(first).toISOString()} to ${new Date(last).toISOString()}, while no server ran; catch-up is off`,
  };
}

/** The last run of the timer, while it has not ended. */
async function goingOn({ runs }: TriggersContext, timer: StoredTimer): Promise<string | undefined> {
  const last = timer.last_run === null ? undefined : await runs.find(timer.registry_id, timer.last_run);
  return last === undefined || isEnded(last.status) ? undefined : last.id;
}

interface Occurrence {
  readonly registry: Registry;
  readonly task: Task;
  readonly name: string;
  readonly scheduleOccurrence: string;
}

/** A process that died may have queued it before it could say so. */
async function queueOnce(context: TriggersContext, { registry, task, name, scheduleOccurrence }: Occurrence): Promise<string> {
  const { runs, tasks } = context;
  const createdFrom = Date.parse(scheduleOccurrence);
  const since = await runs.list({ registryId: registry.id, task: task.name, createdFrom, limit: maxRunsSeen });
  const queued = since.find(
    ({ trigger }) => trigger?.kind === 'timer' && trigger.name === name && trigger.scheduleOccurrence === scheduleOccurrence,
  );
  if (queued !== undefined) return queued.id;
  const trigger = { kind: 'timer' as const, name, scheduleOccurrence };
  return (await tasks.run({ registry, task, requestedBy: 'trigger', trigger })).id;
}
