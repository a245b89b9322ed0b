import { usage } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import { storedIn } from '../platform/stored-bytes/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { trafficSince } from './queries.ts';

const hourMs = 3_600_000;
const hoursShown = 24;

export interface UsageRoutesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly limitOf: (registry: Registry) => number;
}

export function usageRoutes({ database, clock, limitOf }: UsageRoutesOptions): readonly Route[] {
  return [
    {
      operation: usage.getUsage,
      handle: async ({ registry }) => {
        const { bytes, blobs } = await storedIn(database.read, registry.id);
        const limit = limitOf(registry);
        const hour = Math.floor(clock.now() / hourMs) - hoursShown + 1;
        const { pulls, pushes } = await trafficSince(database.read, registry.id, hour);
        const lastDay = { pulls, pushes };
        const limitBytes = Number.isFinite(limit) ? limit : null;
        return {
          status: 200,
          body: { json: { registry: registry.name, plan: registry.plan, sizeBytes: bytes, blobs, limitBytes, lastDay } },
        };
      },
    },
  ];
}
