import { agents, leaseHeader } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import type { AgentFacts } from '../../tenancy/index.ts';
import { sealedRequestOf } from '../queries.ts';
import { factsOf } from '../run-facts.ts';
import type { RunsContext } from '../runs-context.ts';
import { openRequest } from '../sealed-request.ts';
import { claim } from './claim.ts';
import { knownAgents } from './known-agents.ts';
import { queuesOf } from './queues.ts';
import { report, requireHeld } from './report.ts';

const maxReportBytes = 2 ** 20;
const dayMs = 86_400_000;

export function agentRoutes(context: RunsContext): readonly Route[] {
  return [
    { operation: agents.claimRun, handle: (request) => claimNext(context, request) },
    { operation: agents.reportRun, handle: (request) => take(context, request) },
    { operation: agents.readAgentSource, handle: (request) => sendSource(context, request) },
    { operation: agents.resolveSecrets, handle: (request) => resolve(context, request) },
    { operation: agents.listAgents, handle: (request) => list(context, request) },
  ];
}

async function claimNext(context: RunsContext, request: RouteRequest): Promise<Reply> {
  const body = await readJson(request, agents.claimRun.body);
  const { registry, signal } = request;
  const assignment = await claim(context, { registry, facts: factsOfAgent(request), request: body, signal });
  return assignment === undefined ? { status: 204 } : answer(assignment);
}

async function take(context: RunsContext, request: RouteRequest): Promise<Reply> {
  const body = await readJson(request, agents.reportRun.body, maxReportBytes);
  return answer(await report(context, { ...heldOf(request), report: body }));
}

async function sendSource(context: RunsContext, request: RouteRequest): Promise<Reply> {
  const { database, keys, store } = context;
  const row = await requireHeld(context, heldOf(request));
  const object = await database.read
    .selectFrom('run_objects')
    .selectAll()
    .where('run_row_id', '=', row.id)
    .where('kind', '=', 'source')
    .executeTakeFirst();
  const sizeBytes = object?.size_bytes ?? null;
  if (object === undefined || sizeBytes === null)
    throw new RegistryError('NOT_FOUND', { message: 'no archive was uploaded for the run' });
  const key = keys.get(row.registry_id, object.data_key_id);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' },
    body: {
      lengthBytes: sizeBytes,
      open: () => store.read(object.part_name, key, { start: 0, end: sizeBytes, sizeBytes }, request.signal),
    },
  };
}

async function resolve(context: RunsContext, request: RouteRequest): Promise<Reply> {
  const { secrets } = await readJson(request, agents.resolveSecrets.body);
  const row = await requireHeld(context, heldOf(request));
  if (row.leased_until === null) throw new RegistryError('LEASE_LOST');
  const registry = context.registryById(row.registry_id);
  const sealed = await sealedRequestOf(context.database.read, row.id);
  if (registry === undefined || sealed === undefined) throw new RegistryError('LEASE_LOST');
  const { maySecrets } = openRequest(
    context.keys,
    { registryId: row.registry_id, runId: row.run_id },
    { dataKeyId: sealed.data_key_id, sealed: sealed.sealed_request },
  );
  if (!maySecrets || row.is_trusted === 0)
    throw new RegistryError('DENIED', {
      message:
        'the run may have no secrets: it builds a pull request from a fork, or was queued by somebody who does not run the registry',
    });
  return answer({ secrets: await context.resolveSecrets(registry, factsOf(row), secrets) });
}

async function list(context: RunsContext, { registry }: RouteRequest): Promise<Reply> {
  const { database, clock } = context;
  const now = clock.now();
  const known = await knownAgents(database.read, { registryId: registry.id, seenAfter: now - dayMs, now });
  const { queue, oldestQueuedAt } = await queuesOf(database.read, registry.id);
  return answer({
    agents: known.map(({ seenAt, ...agent }) => ({ ...agent, seenAt: new Date(seenAt).toISOString() })),
    queue,
    oldestQueuedSeconds: oldestQueuedAt === null ? null : Math.max(0, Math.floor((now - oldestQueuedAt) / 1000)),
  });
}

function heldOf(request: RouteRequest): {
  readonly facts: AgentFacts;
  readonly runId: string;
  readonly lease: string | undefined;
} {
  return { facts: factsOfAgent(request), runId: request.params['run'] ?? '', lease: request.headers[leaseHeader] };
}

/** The operation lets agents in, and nobody else. @throws DENIED */
function factsOfAgent({ principal }: RouteRequest): AgentFacts {
  if (principal.agent === undefined)
    throw new RegistryError('DENIED', { message: 'this is for agents, which sign in with their key' });
  return principal.agent;
}

function answer(json: unknown): Reply {
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}
