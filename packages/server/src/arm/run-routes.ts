import { arm } from '@berth/api';
import type { Reply, Route } from '../http/route.ts';
import { invalid } from '../resources/index.ts';
import type { RunFacts, RunFilter } from '../runs/index.ts';
import { runDocument } from '../tasks/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ArmContext } from './arm-context.ts';
import { type RegistryRequest, managedRegistry, readDocument, resourceNotFound } from './managed-routes.ts';
import type { RunCondition } from './run-comparison.ts';
import { parseRunFilter } from './run-filter.ts';

const pageSize = 100;
const maxTop = 1000;
/** How many runs one request looks at: whoever filters for what hardly occurs gets a short page and goes on. */
const maxScanned = 5000;
const scanSize = 500;

/** Runs as the resource manager has them (acr-tasks 6.3). */
export function runRoutes(context: ArmContext): readonly Route[] {
  return [
    managedRegistry(context, arm.runs.scheduleRun, (request) => scheduleRun(context, request)),
    managedRegistry(context, arm.runs.listRuns, (request) => listRuns(context, request)),
    managedRegistry(context, arm.runs.getRun, async (request) =>
      show(context, request.registry, await requireRun(context, request)),
    ),
    managedRegistry(context, arm.runs.patchRun, (request) => patchRun(context, request)),
    managedRegistry(context, arm.runs.cancelRun, (request) => cancelRun(context, request)),
  ];
}

async function scheduleRun({ runs, tasks }: ArmContext, { request, registry }: RegistryRequest): Promise<Reply> {
  const { body: schema, maxBodyBytes } = arm.runs.scheduleRun;
  const body = await readDocument(request, schema, maxBodyBytes);
  const { run, isArchiveEnabled } = await tasks.runOfRequest({ registry, body, requestedBy: request.principal.id });
  const queued = await runs.queue(run);
  const facts = isArchiveEnabled ? ((await runs.archive(registry.id, queued.id, true)) ?? queued) : queued;
  return show({ runs }, registry, facts);
}

async function show({ runs }: Pick<ArmContext, 'runs'>, registry: Registry, facts: RunFacts): Promise<Reply> {
  return { status: 200, body: { json: runDocument(registry, facts, await runs.document(facts)) } };
}

/** Of another registry is not there (attack 23). */
export async function requireRun({ runs }: ArmContext, { registry, record, params }: RegistryRequest): Promise<RunFacts> {
  const found = await runs.find(registry.id, params['runId'] ?? '');
  if (found === undefined) throw runNotFound({ registry, record, params });
  return found;
}

function runNotFound({ registry, record, params }: Pick<RegistryRequest, 'registry' | 'record' | 'params'>): Error {
  return resourceNotFound(`${registry.resourceId}/runs/${(params['runId'] ?? '').slice(0, 64)}`, record.resourceGroup);
}

async function patchRun(context: ArmContext, request: RegistryRequest): Promise<Reply> {
  const { registry, params } = request;
  const body = await readDocument(request.request, arm.runs.patchRun.body);
  const isArchived = body.boolean('isArchiveEnabled');
  const facts =
    isArchived === undefined
      ? await requireRun(context, request)
      : await context.runs.archive(registry.id, params['runId'] ?? '', isArchived);
  if (facts === undefined) throw runNotFound(request);
  return show(context, registry, facts);
}

async function cancelRun({ runs }: ArmContext, request: RegistryRequest): Promise<Reply> {
  const canceled = await runs.cancel(request.registry.id, request.params['runId'] ?? '');
  if (canceled === undefined) throw runNotFound(request);
  return { status: 200 };
}

async function listRuns(context: ArmContext, { request, registry }: RegistryRequest): Promise<Reply> {
  const { query, origin } = request;
  const top = readTop(query.get('$top'));
  const condition = parseRunFilter(query.get('$filter'));
  const limit = Math.min(top ?? pageSize, pageSize);
  const { found, goesOnAfter } = await findRuns(context, {
    registryId: registry.id,
    condition: await asTasksAreCalled(context, registry, condition),
    before: query.get('$skiptoken') ?? undefined,
    limit,
  });
  const value = await Promise.all(found.map(async (facts) => runDocument(registry, facts, await context.runs.document(facts))));
  const rest = top === undefined ? undefined : top - found.length;
  if (goesOnAfter === undefined || rest === 0) return { status: 200, body: { json: { value } } };
  const next = new URLSearchParams(query);
  next.set('$skiptoken', goesOnAfter);
  if (rest !== undefined) next.set('$top', String(rest));
  return { status: 200, body: { json: { value, nextLink: `${origin}${registry.resourceId}/runs?${next}` } } };
}

/** Names of resources are one whatever their case. */
async function asTasksAreCalled({ tasks }: ArmContext, { id }: Registry, condition: RunCondition): Promise<RunCondition> {
  const { task } = condition.narrowed;
  if (task === undefined) return condition;
  const name = (await tasks.find(id, task))?.name ?? task;
  if (name === task) return condition;
  const { holds, narrowed } = condition;
  return { narrowed: { ...narrowed, task: name }, holds: (run) => holds(run.task === name ? { ...run, task } : run) };
}

interface RunSearch {
  readonly registryId: number;
  readonly condition: RunCondition;
  readonly before: string | undefined;
  readonly limit: number;
}

interface FoundRuns {
  readonly found: readonly RunFacts[];
  /** Older runs than this one have not been looked at; undefined: there are none. */
  readonly goesOnAfter: string | undefined;
}

async function findRuns({ runs }: ArmContext, { registryId, condition, before, limit }: RunSearch): Promise<FoundRuns> {
  const found: RunFacts[] = [];
  let last = before;
  for (let scanned = 0; scanned < maxScanned; ) {
    // Most filters are the database's own: then the first page is all that is needed.
    const size = scanned === 0 ? limit + 1 : scanSize;
    const filter: RunFilter = { ...condition.narrowed, registryId, before: last, limit: size };
    const page = await runs.list(filter);
    for (const run of page) {
      if (condition.holds(run)) {
        if (found.length === limit) return { found, goesOnAfter: last };
        found.push(run);
      }
      last = run.id;
    }
    if (page.length < size) return { found, goesOnAfter: undefined };
    scanned += page.length;
  }
  return { found, goesOnAfter: last };
}

function readTop(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const top = Number(text);
  if (!/^\d{1,9}$/.test(text) || top < 1) throw invalid('$top', `must be a whole number from 1 to ${maxTop}`);
  return Math.min(top, maxTop);
}
