import { cleanup } from '@berth/api';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { CleanupRuns, RunState } from './cleanup-runs.ts';
import { type RuleRecord, listRules, removeRule, setRule, showRule } from './manage-rules.ts';
import type { RetentionContext } from './model.ts';
import { preview } from './preview.ts';
import { purge } from './purge.ts';
import type { SweepTotals } from './sweep.ts';
import type { SweepAnswer } from './sweep-request.ts';

export function retentionRoutes(context: RetentionContext, runs: CleanupRuns): readonly Route[] {
  return [
    { operation: cleanup.listCleanupRules, handle: (request) => list(context, request) },
    { operation: cleanup.getCleanupRule, handle: (request) => show(context, request, 200) },
    { operation: cleanup.putCleanupRule, handle: (request) => put(context, request) },
    { operation: cleanup.deleteCleanupRule, handle: (request) => remove(context, request) },
    {
      operation: cleanup.previewCleanup,
      handle: async (request) => {
        const body = await readJson(request, cleanup.previewCleanup.body);
        return swept(await preview(context, body, placeOf(request)));
      },
    },
    {
      operation: cleanup.startCleanup,
      handle: async (request) => {
        await readJson(request, cleanup.startCleanup.body);
        void runs.start(request.registry);
        return state(202, runs.state(request.registry.id));
      },
    },
    { operation: cleanup.getCleanup, handle: async (request) => state(200, runs.state(request.registry.id)) },
    {
      operation: cleanup.purge,
      handle: async (request) => swept(await purge(context, await readJson(request, cleanup.purge.body), placeOf(request))),
    },
  ];
}

async function list(context: RetentionContext, request: RouteRequest): Promise<Reply> {
  const rules = await listRules(context, request.registry.id);
  return { status: 200, body: { json: { rules: rules.map(ruleDocument) } } };
}

async function show(context: RetentionContext, request: RouteRequest, status: number): Promise<Reply> {
  return { status, body: { json: ruleDocument(await showRule(context, request.registry.id, nameOf(request))) } };
}

async function put(context: RetentionContext, request: RouteRequest): Promise<Reply> {
  const { isEnabled = true, ...definition } = await readJson(request, cleanup.putCleanupRule.body);
  const outcome = await setRule(context, request.registry.id, { name: nameOf(request), definition, isEnabled });
  return show(context, request, outcome === 'created' ? 201 : 200);
}

async function remove(context: RetentionContext, request: RouteRequest): Promise<Reply> {
  await removeRule(context, request.registry.id, nameOf(request));
  return { status: 204 };
}

function ruleDocument({ name, definition, isEnabled, updatedAt }: RuleRecord): object {
  return { name, ...definition, isEnabled, updatedAt: timeText(updatedAt) };
}

function swept({ isDryRun, decisions, cursor, ...totals }: SweepAnswer): Reply {
  const listed = decisions.map(({ repository, action, name, reason, sizeBytes }) => ({
    repository,
    action,
    name,
    reason,
    sizeBytes,
  }));
  const isComplete = cursor === undefined;
  const json = { isDryRun, decisions: listed, ...totalsDocument(totals), isComplete, cursor: cursor ?? null };
  return { status: 200, body: { json } };
}

function state(status: number, { state: name, startedAt, finishedAt, ...totals }: RunState): Reply {
  const times = { startedAt: startedAt && timeText(startedAt), finishedAt: finishedAt && timeText(finishedAt) };
  const json = { state: name, ...times, ...totalsDocument(totals) };
  return { status, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

function totalsDocument({ tagsRemoved, manifestsRemoved, bytesRemoved, locked, spared, failed }: SweepTotals): object {
  return { tagsRemoved, manifestsRemoved, bytesRemoved, locked, spared, failed };
}

function placeOf(request: RouteRequest): { readonly registryId: number; readonly signal: AbortSignal } {
  return { registryId: request.registry.id, signal: request.signal };
}

function nameOf(request: RouteRequest): string {
  return request.params['rule'] ?? '';
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
