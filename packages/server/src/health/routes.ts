import { distribution, health } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Route } from '../http/route.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';

export interface HealthChecks {
  readonly metrics: Metrics;
  /** False once the server has been told to stop. */
  readonly isServing: () => boolean;
  /** By the name of what is checked. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  readonly log: Logger;
}

export function healthRoutes({ metrics, isServing, checks, log }: HealthChecks): readonly Route[] {
  return [
    // Whoever gets here is signed in, and that is all that OCI end-1 asks.
    { operation: distribution.checkApi, handle: async () => ({ status: 200, body: { json: {} } }) },
    { operation: health.getHealth, handle: async () => ({ status: 200, body: { json: { status: 'alive' } } }) },
    {
      operation: health.getReadiness,
      handle: async () => {
        if (!isServing()) throw new RegistryError('UNAVAILABLE', { message: 'the registry is stopping' });
        await Promise.all(Object.entries(checks).map(([name, check]) => requirePass(name, check, log)));
        return { status: 200, body: { json: { status: 'ready' } } };
      },
    },
    {
      operation: health.getMetrics,
      handle: async () => {
        const { contentType, text } = await metrics.scrape();
        return { status: 200, headers: { 'Content-Type': contentType }, body: text };
      },
    },
  ];
}

/** Names what failed; why is the operator's log's matter, not an anonymous caller's. @throws UNAVAILABLE */
async function requirePass(name: string, check: () => Promise<void>, log: Logger): Promise<void> {
  try {
    await check();
  } catch (error) {
    log.warn({ err: error, part: name }, 'a part of the server is not ready');
    throw new RegistryError('UNAVAILABLE', { message: `the ${name} does not answer`, cause: error });
  }
}
