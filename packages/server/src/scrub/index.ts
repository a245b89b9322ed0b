import { setTimeout as delay } from 'node:timers/promises';
import type { Route } from '../http/route.ts';
import { knownDamage } from '../platform/damage/index.ts';
import { maxListedDamage, neverScrubbed } from './model.ts';
import { Pace, type Wait } from '../platform/pace/index.ts';
import { type ScrubControl, type ScrubState, scrubRoutes } from './routes.ts';
import { type ScrubContext, ScrubRun } from './scrub-run.ts';

export interface ScrubOptions extends ScrubContext {
  /** Pace when the operator names none. Default 64 MiB. */
  readonly bytesPerSecond?: number;
  /** Tests pass their own. */
  readonly wait?: Wait;
}

export interface Scrub extends ScrubControl {
  readonly routes: readonly Route[];
  /** Resolves when the running scrub has ended. */
  settled(registryId: number): Promise<void>;
  /** Aborts what runs and waits for it. */
  stop(): Promise<void>;
}

const defaultBytesPerSecond = 64 * 1024 * 1024;

const waitWithTimer: Wait = (ms, signal) => delay(ms, undefined, { signal, ref: false });

/** Reopens everything that is stored, in the background, and reports what does not open. One at a time for a registry. */
export function createScrub({
  bytesPerSecond: pace = defaultBytesPerSecond,
  wait = waitWithTimer,
  ...context
}: ScrubOptions): Scrub {
  const stopping = new AbortController();
  const runs = new Map<number, { readonly run: ScrubRun; readonly ended: Promise<void> }>();

  const start = (registryId: number, bytesPerSecond: number | undefined): void => {
    if (runs.get(registryId)?.run.progress.state === 'running' || stopping.signal.aborted) return;
    const limit = new Pace({ bytesPerSecond: bytesPerSecond ?? pace, clock: context.clock, wait });
    const run = new ScrubRun(context, { registryId, pace: limit, signal: stopping.signal });
    runs.set(registryId, { run, ended: run.run() });
  };

  const state = async (registryId: number): Promise<ScrubState> => {
    const run = runs.get(registryId)?.run;
    const parts = await knownDamage(context.database.read, registryId, maxListedDamage);
    const damage = parts.map((row) => ({
      part: row.part_name,
      digest: row.blob_digest,
      reason: row.reason,
      foundAt: row.found_at,
    }));
    const manifests = run === undefined ? [] : await run.damagedManifests();
    const repairedBlobs = context.elsewhere?.repaired(registryId) ?? 0;
    return { ...(run?.progress ?? neverScrubbed), repairedBlobs, damage: [...damage, ...manifests] };
  };

  const control: ScrubControl = { start, state };
  return {
    ...control,
    routes: scrubRoutes(control),
    settled: async (registryId) => runs.get(registryId)?.ended,
    stop: async () => {
      stopping.abort();
      await Promise.all([...runs.values()].map(({ ended }) => ended));
    },
  };
}
