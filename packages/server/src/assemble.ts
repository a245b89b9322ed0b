import { openData, openStorage } from './open-storage.ts';
import { systemClock } from './platform/clock.ts';
import { createLateMetrics } from './platform/late-metrics.ts';
import { createLogger } from './platform/logger.ts';
import type { Settings } from './settings/index.ts';
import type { AssembledServer } from './start-service.ts';
import { readVersion } from './version.ts';

/**
 * Constructs the whole server: data folder, lock, database, keys, blob store, then `startService`. What was opened is
 * pushed to `opened`, to be closed in reverse order, after a failure too.
 */
export async function assemble(settings: Settings, opened: AsyncDisposableStack): Promise<AssembledServer> {
  const clock = systemClock;
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat, region: settings.region });
  const metrics = createLateMetrics(async () =>
    (await import('./platform/metrics.ts')).createMetrics({ version: readVersion(), region: settings.region }),
  );
  const data = await openData(settings, opened, { clock, log });
  // While the database's writer thread loads its code, this thread loads the rest: half of a start is loading.
  const [storage, { startService }] = await Promise.all([
    openStorage(settings, opened, { ...data, clock, log, metrics }),
    import('./start-service.ts'),
  ]);
  return startService(settings, opened, { storage, clock, log, metrics });
}
