import type { Route } from '../../http/route.ts';
import { repeat } from '../../platform/repeat.ts';
import { pollDueSources } from './poll-sources.ts';
import { postStatuses } from './post-statuses.ts';
import { reconcile } from './reconcile.ts';
import { sourceRoutes } from './source-routes.ts';
import type { SourcesContext } from './sources-context.ts';

/** How late a look at a repository may begin. */
const pollEveryMs = 5_000;
/** How late a status is tried again. */
const statusEveryMs = 10_000;
/** How late what another process left undone is seen. */
const reconcileEveryMs = 600_000;

/** Tasks that run when the repository of their source changes. */
export interface SourceTriggers {
  readonly routes: readonly Route[];
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  /** Waits for what was begun by changes of tasks and ends of runs; it ends when the signal aborts. */
  stop(): Promise<void>;
}

export function createSourceTriggers(given: SourcesContext): SourceTriggers {
  const { tasks, runs, signal, log } = given;
  // One after the other, so that the hook and the status at the forge are as the last change says.
  let changes = Promise.resolve();
  const follow = (work: () => Promise<void>): Promise<void> => {
    changes = changes.then(async () => {
      if (signal.aborted) return;
      try {
        await work();
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'what follows a change of a task failed; a later round will try again');
      }
    });
    return changes;
  };
  const context: SourcesContext = {
    ...given,
    record: async (decision) => {
      await given.record(decision);
      const { isFired, registryId, task } = decision;
      // That a run waits is told at once, too.
      if (isFired) void follow(() => postStatuses(context, { registryId, task }));
    },
  };
  tasks.onChanged(({ registryId, name }) => void follow(() => reconcile(context, { registryId, task: name })));
  runs.onEnded(({ registryId, task, trigger }) => {
    if (task !== null && trigger?.kind === 'source') void follow(() => postStatuses(context, { registryId, task }));
  });
  const rounds = [
    { name: 'looks at repositories', everyMs: pollEveryMs, work: () => pollDueSources(context) },
    { name: 'commit statuses', everyMs: statusEveryMs, work: () => follow(() => postStatuses(context)) },
    { name: 'hooks at forges', everyMs: reconcileEveryMs, work: () => reconcile(context) },
  ];
  return {
    routes: sourceRoutes(context),
    loops: () => rounds.map(({ name, everyMs, work }) => repeat(work, { name, everyMs, signal, log })),
    stop: () => changes,
  };
}
