import type { Run, RunStep } from '@berth/api';
import { type KnownAgent, knownAgents } from './agents/known-agents.ts';
import { fittingAgents } from './agents/fitting-agents.ts';
import { countQueued, countRunning } from './queries.ts';
import { type PlainRunRow, detailsOf, factsOf } from './run-facts.ts';
import type { RunsContext } from './runs-context.ts';

const dayMs = 86_400_000;

type DocumentContext = Pick<RunsContext, 'database' | 'clock' | 'limits'>;

/** What one answer needs to know only once. */
interface Scene {
  readonly agents: readonly KnownAgent[];
  readonly running: number;
}

/** Runs of one registry as clients see them. */
export async function runDocuments(context: DocumentContext, rows: readonly PlainRunRow[]): Promise<readonly Run[]> {
  const waiting = rows.find(({ status }) => status === 'Queued');
  const scene = waiting === undefined ? undefined : await sceneOf(context, waiting.registry_id);
  const documents: Run[] = [];
  for (const row of rows) {
    const queue = scene !== undefined && row.status === 'Queued' ? await placeOf(context, row, scene) : null;
    documents.push(documentOf(row, queue));
  }
  return documents;
}

async function sceneOf({ database, clock }: DocumentContext, registryId: number): Promise<Scene> {
  const now = clock.now();
  const agents = await knownAgents(database.read, { registryId, seenAfter: now - dayMs, now });
  return { agents, running: (await countRunning(database.read)).get(registryId) ?? 0 };
}

async function placeOf({ database, limits }: DocumentContext, row: PlainRunRow, scene: Scene): Promise<Run['queue']> {
  const { registry_id: registryId, agent_pool: agentPool, id: rowId, os } = row;
  const before = await countQueued(database.read, registryId, agentPool, { rowId, os });
  return { position: before + 1, reason: reasonToWait(row, scene, { before, runsAtOnce: limits.runsAtOnce }) };
}

interface Queue {
  readonly before: number;
  readonly runsAtOnce: number;
}

/** What would have to change first. */
function reasonToWait(row: PlainRunRow, scene: Scene, { before, runsAtOnce }: Queue): string {
  const fitting = fittingAgents(row, scene.agents);
  if (typeof fitting === 'string') return fitting;
  if (scene.running >= runsAtOnce) return `the registry has ${runsAtOnce} runs in work, and may have no more at once`;
  if (before > 0) return before === 1 ? '1 run is before it' : `${before} runs are before it`;
  const isBusy = fitting.every(({ runs, capacity }) => runs.length >= capacity);
  return isBusy ? 'all agents that could execute it are busy' : 'an agent is about to take it';
}

function documentOf(row: PlainRunRow, queue: Run['queue']): Run {
  const facts = factsOf(row);
  const { trigger, commit, branch } = detailsOf(row.trigger_details);
  return {
    id: facts.id,
    status: facts.status,
    runType: facts.runType,
    task: facts.task,
    platform: facts.platform,
    agentPool: facts.agentPool,
    agent: row.agent,
    requestedBy: facts.requestedBy,
    createdAt: timeText(facts.createdAt),
    startedAt: timeOrNull(facts.startedAt),
    finishedAt: timeOrNull(facts.finishedAt),
    updatedAt: timeText(facts.updatedAt),
    timeoutSeconds: facts.timeoutSeconds,
    error: facts.error,
    queue,
    trigger: trigger && { ...trigger, ...(commit !== undefined && { commit }), ...(branch !== undefined && { branch }) },
    steps: JSON.parse(row.steps) as RunStep[],
    images: [...facts.images],
    dependencies: [...facts.dependencies],
    logRecords: facts.logRecords,
    isArchived: facts.isArchived,
  };
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
