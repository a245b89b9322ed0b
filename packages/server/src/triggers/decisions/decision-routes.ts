import { tasks as operations } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { nameOf, registryAt } from '../base-images/model.ts';
import { baseImagesOf } from '../base-images/queries.ts';
import { timersOf } from '../timers/queries.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { decisionsOf } from './queries.ts';

const usualLimit = 100;
const maxLimit = 1_000;

/** Why triggers did what they did, and what they look at. */
export function decisionRoutes(context: TriggersContext): readonly Route[] {
  return [{ operation: operations.listDecisions, handle: (request) => list(context, request) }];
}

async function list({ database, tasks, registries }: TriggersContext, request: RouteRequest): Promise<Reply> {
  const { registry, params, query } = request;
  const task = await tasks.find(registry.id, params['task'] ?? '');
  if (task === undefined)
    throw new RegistryError('NOT_FOUND', { message: `there is no task ${JSON.stringify((params['task'] ?? '').slice(0, 64))}` });
  const place = { registryId: registry.id, task: task.name };
  const limit = Math.min(Number(query.get('limit') ?? usualLimit), maxLimit);
  const decisions = await decisionsOf(database.read, { ...place, limit });
  const images = await baseImagesOf(database.read, place);
  const timers = await timersOf(database.read, place);
  const json = {
    decisions: decisions.map(({ decided_at, trigger_name, kind, is_fired, reason, run_id, details }) => ({
      time: new Date(decided_at).toISOString(),
      trigger: trigger_name,
      kind,
      isFired: is_fired === 1,
      reason,
      run: run_id,
      details: JSON.parse(details) as object,
    })),
    baseImages: images
      .filter(({ is_watched }) => is_watched === 1)
      .map((row) => ({
        image: nameOf(row),
        role: row.role,
        recordedDigest: row.recorded_digest,
        currentDigest: row.current_digest,
        how: registryAt(row.server, registries.all()) === undefined ? 'poll' : 'push',
        checkedAt: timeText(row.checked_at),
        nextCheckAt: timeText(row.next_check_at),
        problem: row.problem,
      })),
    timers: timers.map(({ name, schedule, next_at }) => ({ name, schedule, nextAt: timeText(next_at) })),
  };
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
