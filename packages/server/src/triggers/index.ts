import type { Route } from '../http/route.ts';
import { repeat } from '../platform/repeat.ts';
import { decideDue } from './base-images/decide-due.ts';
import { followMovedTags } from './base-images/follow-moved-tags.ts';
import { BaseImageLooks } from './base-images/look.ts';
import { nextDueAt } from './base-images/queries.ts';
import { tellsBaseImages } from './base-images/model.ts';
import { pollDue } from './base-images/poll.ts';
import { recordRun } from './base-images/record-run.ts';
import { decisionRoutes } from './decisions/decision-routes.ts';
import { decisionsKeptMs } from './decisions/model.ts';
import { expireDecisions, recordDecisions } from './decisions/transactions.ts';
import { reconcile } from './reconcile.ts';
import { createSourceTriggers } from './sources/index.ts';
import { runDueTimers } from './timers/run-due.ts';
import type { TriggersContext } from './triggers-context.ts';
import { Round } from './round.ts';

export type { ImageName, TriggerLimits, TriggersContext as TriggersOptions } from './triggers-context.ts';

/** How late a process may see what another one left to do. */
const lookMs = 1_000;
/** How late it may learn of changes of tasks that another one made, and of runs that ended there. */
const reconcileMs = 60_000;
const expireMs = 600_000;
const expiredAtOnce = 1_000;

/** Timers, base images and sources that make tasks run. */
export interface Triggers {
  readonly routes: readonly Route[];
  /** Tags were moved in this process: look at once which tasks build on them. */
  wake(): void;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<void>;
}

export function createTriggers(context: TriggersContext): Triggers {
  const { database, clock, log, signal, tasks, runs } = context;
  const looks = new BaseImageLooks(context);
  const polls = new Round(() => pollDue(context, looks), { log, signal });
  // What was pushed is followed first; what a look finds is decided in the same way.
  const pushes = new Round(
    async () => {
      await followMovedTags(context);
      await decideDue(context, looks);
      await wakeWhenSettled(context, () => void pushes.begin().then(() => polls.begin()));
    },
    { log, signal },
  );
  const follow = followOneByOne(context);
  tasks.onChanged(({ registryId, name }) => void follow(() => reconcile(context, { registryId, task: name })));
  runs.onEnded((run) => {
    if (!tellsBaseImages(run)) return;
    void follow(async () => {
      const task = await tasks.find(run.registryId, run.task ?? '');
      if (task !== undefined) await recordRun(context, task, run);
      void polls.begin();
      void pushes.begin();
    });
  });
  const sources = createSourceTriggers({
    ...context,
    registryById: (id) => context.registries.byId(id),
    record: (decision) => database.write(recordDecisions, { decisions: [decision], now: clock.now() }),
  });
  const rounds = [
    { name: 'base images', everyMs: lookMs, work: () => pushes.begin() },
    { name: 'looks at base images', everyMs: lookMs, work: () => polls.begin() },
    { name: 'timers of tasks', everyMs: lookMs, work: () => runDueTimers(context) },
    { name: 'triggers of tasks', everyMs: reconcileMs, work: () => reconcile(context) },
    { name: 'expiry of decisions', everyMs: expireMs, work: () => expire(context) },
  ];
  return {
    routes: [...decisionRoutes(context), ...sources.routes],
    wake: () => void pushes.begin().then(() => polls.begin()),
    loops: () => [...rounds.map(({ name, everyMs, work }) => repeat(work, { name, everyMs, signal, log })), ...sources.loops()],
    stop: async () => {
      await Promise.all([follow(async () => undefined), pushes.settled(), polls.settled(), sources.stop()]);
    },
  };
}

/** What moved a moment ago is due before the next look. */
async function wakeWhenSettled({ database, clock, limits, signal }: TriggersContext, wake: () => void): Promise<void> {
  const now = clock.now();
  const dueInMs = ((await nextDueAt(database.read, now)) ?? Infinity) - now;
  if (dueInMs <= limits.settleMs && !signal.aborted) setTimeout(wake, dueInMs).unref();
}

/** One after the other, so that what is kept is as the last one says. */
function followOneByOne({ log, signal }: TriggersContext): (work: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve();
  return (work) => {
    last = last.then(async () => {
      if (signal.aborted) return;
      try {
        await work();
      } catch (error) {
        if (!signal.aborted)
          log.error({ err: error }, 'what follows a change of a task or the end of a run failed; a later round does it');
      }
    });
    return last;
  };
}

async function expire({ database, clock, signal }: TriggersContext): Promise<void> {
  for (let gone = expiredAtOnce; gone === expiredAtOnce && !signal.aborted; )
    gone = await database.write(expireDecisions, { before: clock.now() - decisionsKeptMs, limit: expiredAtOnce });
}
