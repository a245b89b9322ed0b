import { upkeep } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import { type Collector, countCandidates } from '../platform/garbage/index.ts';

export interface UpkeepOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly collector: Collector;
  /** Parts whose objects were deleted since the start. */
  readonly freedParts: () => number;
}

/** Work that an operator starts by hand. */
export function upkeepRoutes({ database, clock, collector, freedParts }: UpkeepOptions): readonly Route[] {
  return [
    {
      operation: upkeep.startCollection,
      handle: async ({ signal }) => {
        const before = freedParts();
        const { collected } = await collector.runDue(signal);
        const { due } = await countCandidates(database.read, clock.now());
        return { status: 200, body: { json: { settled: collected, partsDeleted: freedParts() - before, candidatesDue: due } } };
      },
    },
  ];
}
