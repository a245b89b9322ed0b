import { type Run, type RunToQueue, runs } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import { archive, cancel } from './change-run.ts';
import { mayRunAnything, requireBuilder, requireVisible } from './may-run.ts';
import { type RunFilter, runStatuses } from './model.ts';
import { findRunByRow, listRuns } from './queries.ts';
import { queueNewRun } from './queue/queue-run.ts';
import { runDocuments } from './run-document.ts';
import type { PlainRunRow } from './run-facts.ts';
import type { RunsContext } from './runs-context.ts';

const maxBodyBytes = 2 ** 20;
const pageSize = 15;
const maxPageSize = 100;

export function runRoutes(context: RunsContext): readonly Route[] {
  return [
    { operation: runs.queueRun, handle: (request) => queue(context, request) },
    { operation: runs.listRuns, handle: (request) => list(context, request) },
    { operation: runs.getRun, handle: async (request) => shown(context, 200, await requireVisible(context, request)) },
    {
      operation: runs.cancelRun,
      handle: async (request) => {
        await readJson(request, runs.cancelRun.body);
        const { run_id: runId } = await requireVisible(context, request);
        await cancel(context, request.registry.id, runId);
        return shown(context, 202, await requireVisible(context, request));
      },
    },
    {
      operation: runs.archiveRun,
      handle: async (request) => {
        const { isArchived } = await readJson(request, runs.archiveRun.body);
        const { run_id: runId } = await requireVisible(context, request);
        await archive(context, request.registry.id, runId, isArchived);
        return shown(context, 200, await requireVisible(context, request));
      },
    },
  ];
}

async function queue(context: RunsContext, request: RouteRequest): Promise<Reply> {
  const { registry, principal } = request;
  const body: RunToQueue = await readJson(request, runs.queueRun.body, maxBodyBytes);
  if (!mayRunAnything(principal)) requireBuilder(principal, body);
  const { rowId } = await queueNewRun(context, {
    registry,
    request: body,
    runType: body.work.kind === 'build' ? 'QuickBuild' : 'QuickRun',
    requestedBy: principal.id,
    isTrusted: true,
    maySecrets: mayRunAnything(principal),
  });
  const row = await findRunByRow(context.database.read, rowId);
  if (row === undefined) throw new RegistryError('NOT_FOUND');
  return shown(context, 202, row);
}

async function list(context: RunsContext, { registry, principal, query }: RouteRequest): Promise<Reply> {
  const limit = limitOf(query.get('limit'));
  const filter: RunFilter = {
    registryId: registry.id,
    limit: limit + 1,
    task: textOf(query, 'task'),
    statuses: statusesOf(query.get('status')),
    agentPool: textOf(query, 'agentPool'),
    image: textOf(query, 'image'),
    before: textOf(query, 'before'),
    // Of others nobody learns that they are there (attack 23).
    requestedBy: mayRunAnything(principal) ? undefined : principal.id,
  };
  const rows = await listRuns(context.database.read, filter);
  const page = rows.slice(0, limit);
  const next = rows.length > limit ? (page.at(-1)?.run_id ?? null) : null;
  return answer(200, { runs: await runDocuments(context, page), next });
}

function textOf(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name) ?? undefined;
  if (text !== undefined && (text.length > 512 || text.includes('\0')))
    throw new RegistryError('INVALID_PARAMETER', { message: `"${name}" is longer than any that there is`, target: name });
  return text === '' ? undefined : text;
}

function statusesOf(text: string | null): readonly Run['status'][] | undefined {
  if (text === null || text === '') return undefined;
  const found = runStatuses.find((status) => status.toLowerCase() === text.toLowerCase());
  if (found === undefined)
    throw new RegistryError('INVALID_PARAMETER', { message: `"status" is one of ${runStatuses.join(', ')}`, target: 'status' });
  return [found];
}

function limitOf(text: string | null): number {
  if (text === null || text === '') return pageSize;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxPageSize)
    throw new RegistryError('INVALID_PARAMETER', { message: `"limit" is a number from 1 to ${maxPageSize}`, target: 'limit' });
  return limit;
}

async function shown(context: RunsContext, status: number, row: PlainRunRow): Promise<Reply> {
  const [document] = await runDocuments(context, [row]);
  return answer(status, document);
}

function answer(status: number, json: unknown): Reply {
  return { status, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}
