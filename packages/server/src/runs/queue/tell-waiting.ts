import type { ReadQueries } from '../../platform/database/index.ts';
import { type RunPlace, fittingAgents } from '../agents/fitting-agents.ts';
import { type KnownAgent, knownAgents } from '../agents/known-agents.ts';
import { nextChunk } from '../log/next-chunk.ts';
import { queued } from '../queries.ts';
import { type PlainRunRow, runColumns } from '../run-facts.ts';
import { growQueuedLog } from '../run-transactions.ts';
import { type RunsContext, leaseMs } from '../runs-context.ts';

/** Agents that are there take a run in less. */
const patienceMs = 10_000;
const seenMs = 60_000;
/** Runs of one kind in one round; the next ones go on. */
const batchSize = 100;

/**
 * Says why in the log of each run that no agent can take: whoever follows a log, such as `az acr build`, sees nothing else of it. One
 * line, once; then the agent's follow. After a start of the server agents have the time to come back that their leases have.
 */
export async function tellWaiting(context: RunsContext): Promise<void> {
  const { database, clock, startedAt } = context;
  const now = clock.now();
  if (now < startedAt + leaseMs) return;
  const agents = new Map<number, readonly KnownAgent[]>();
  for (const place of await waitingPlaces(database.read)) {
    const registryId = place.registry_id;
    const known = agents.get(registryId) ?? (await knownAgents(database.read, { registryId, seenAfter: now - seenMs, now }));
    agents.set(registryId, known);
    const reason = fittingAgents(place, known);
    if (typeof reason !== 'string') continue;
    const text = `Waiting for an agent for ${place.os}/${place.architecture}: ${reason}; start one with berth agent`;
    for (const row of await untold(database.read, place, now - patienceMs)) await tell(context, row, text);
  }
}

type WaitingPlace = RunPlace & { readonly registry_id: number };

/** From an index alone, however many wait. */
function waitingPlaces(db: ReadQueries): Promise<readonly WaitingPlace[]> {
  const columns = ['registry_id', 'agent_pool', 'os', 'architecture'] as const;
  return db.selectFrom('runs').select(columns).where('status', '=', queued).groupBy(columns).execute();
}

function untold(db: ReadQueries, place: WaitingPlace, queuedBefore: number): Promise<readonly PlainRunRow[]> {
  const { registry_id: registryId, agent_pool: pool, os, architecture } = place;
  return db
    .selectFrom('runs')
    .select(runColumns)
    .where('status', '=', queued)
    .where('registry_id', '=', registryId)
    .where('agent_pool', pool === null ? 'is' : '=', pool)
    .where('os', '=', os)
    .where('architecture', '=', architecture)
    .where('log_records', '=', 0)
    .where('created_at', '<=', queuedBefore)
    .orderBy('id')
    .limit(batchSize)
    .execute();
}

async function tell({ database, keys, clock, limits, events }: RunsContext, row: PlainRunRow, text: string): Promise<void> {
  const now = clock.now();
  const records = [{ time: now, step: '', stream: 'agent' as const, text }];
  const { chunk } = nextChunk(keys, row, { from: row.log_records, records, now }, limits);
  if (chunk === undefined) return;
  const told = await database.write(growQueuedLog, { rowId: row.id, chunk, knownRecords: row.log_records });
  if (told) events.runChanged(row.id);
}
