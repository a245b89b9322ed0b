import { cleanup } from '@berth/api';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { RetentionContext } from './model.ts';
import { type PurgeSchedule, listSchedules, removeSchedule, setSchedule, showSchedule } from './purge-schedules.ts';

/** Purges by the clock. */
export function scheduleRoutes(context: RetentionContext): readonly Route[] {
  return [
    {
      operation: cleanup.listPurgeSchedules,
      handle: async ({ registry }) => {
        const schedules = await listSchedules(context, registry.id);
        return { status: 200, body: { json: { schedules: schedules.map(scheduleDocument) } } };
      },
    },
    { operation: cleanup.getPurgeSchedule, handle: (request) => show(context, request, 200) },
    { operation: cleanup.putPurgeSchedule, handle: (request) => put(context, request) },
    {
      operation: cleanup.deletePurgeSchedule,
      handle: async (request) => {
        await removeSchedule(context, request.registry.id, nameOf(request));
        return { status: 204 };
      },
    },
  ];
}

async function show(context: RetentionContext, request: RouteRequest, status: number): Promise<Reply> {
  const json = scheduleDocument(await showSchedule(context, request.registry.id, nameOf(request)));
  return { status, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

async function put(context: RetentionContext, request: RouteRequest): Promise<Reply> {
  const { schedule, ...asked } = await readJson(request, cleanup.putPurgeSchedule.body);
  const outcome = await setSchedule(context, request.registry.id, { name: nameOf(request), schedule, request: asked });
  return show(context, request, outcome === 'created' ? 201 : 200);
}

function scheduleDocument({ name, schedule, request, nextAt, isRunning, last }: PurgeSchedule): object {
  return {
    name,
    schedule,
    ...request,
    nextAt: timeText(nextAt),
    isRunning,
    lastAt: timeText(last?.at ?? null),
    lastResult: last?.result ?? null,
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function nameOf(request: RouteRequest): string {
  return request.params['schedule'] ?? '';
}
