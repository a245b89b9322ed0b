import type { Route } from '../http/route.ts';
import { repeat } from '../platform/repeat.ts';
import type { Registry } from '../tenancy/index.ts';
import { CleanupRuns } from './cleanup-runs.ts';
import type { LastPulls, RetentionContext } from './model.ts';
import { retentionRoutes } from './routes.ts';
import { runDuePurges } from './run-due-purges.ts';
import { scheduleRoutes } from './schedule-routes.ts';

export type { LastPulls } from './model.ts';

export interface RetentionOptions extends Omit<RetentionContext, 'lastPulls'> {
  /** Without it nothing is known of pulls, and what a rule keeps because it was pulled stays for ever. */
  readonly lastPulls?: LastPulls;
  /** The registries as they are now. */
  readonly registries: () => readonly Registry[];
  readonly signal: AbortSignal;
}

export interface Retention {
  readonly routes: readonly Route[];
  /** Cleans every registry up now and again, until the signal aborts. */
  run(everyMs: number): Promise<void>;
  /** Runs the purges whose time has come; to be called again and again. */
  purgeDue(): Promise<void>;
  /** Something of a registry may have lost its last tag. */
  wake(registryId: number): void;
  /** Waits for what runs; it ends when the signal aborts. */
  stop(): Promise<void>;
}

/** What goes by itself: by the retention policy, by cleanup rules, and when an operator purges. */
export function createRetention({ registries, signal, lastPulls = nothingKnown, ...options }: RetentionOptions): Retention {
  const context: RetentionContext = { ...options, lastPulls };
  const runs = new CleanupRuns(context, signal);
  return {
    routes: [...retentionRoutes(context, runs), ...scheduleRoutes(context)],
    purgeDue: () => runDuePurges(context, signal),
    run: (everyMs) =>
      repeat(() => Promise.all(registries().map((registry) => runs.start(registry))), {
        name: 'cleanup',
        everyMs,
        signal,
        log: options.log,
      }),
    wake: (registryId) => {
      const registry = registries().find(({ id }) => id === registryId);
      if (registry !== undefined) runs.wake(registry);
    },
    stop: () => runs.settled(),
  };
}

const nothingKnown: LastPulls = async () => new Map();
