import type { Metrics } from '../platform/metrics.ts';
import { countAllQueued, countRunning } from './queries.ts';
import type { RunsContext } from './runs-context.ts';

/** What scrapers see of runs. */
export function measureRuns(metrics: Metrics, { database, ended }: Pick<RunsContext, 'database' | 'ended'>): void {
  metrics.gauge('berth_runs_queued', 'Runs that wait for an agent.', () => countAllQueued(database.read));
  metrics.gauge('berth_runs_running', 'Runs that agents hold.', async () =>
    [...(await countRunning(database.read)).values()].reduce((sum, count) => sum + count, 0),
  );
  for (const status of ['Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout'] as const) {
    metrics.counter(
      `berth_runs_${status.toLowerCase()}_total`,
      `Runs that ended as ${status} since the start.`,
      () => ended.get(status) ?? 0,
    );
  }
}
