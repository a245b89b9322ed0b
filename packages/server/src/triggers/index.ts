import type { Route } from '../http/route.ts';

/** Timers, base images and sources that make tasks run. */
export interface Triggers {
  readonly routes: readonly Route[];
  /** Tags were moved in this process: look at once which tasks build on them. */
  wake(): void;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<void>;
}
