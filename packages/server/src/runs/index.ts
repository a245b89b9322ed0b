import type { Run } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Route } from '../http/route.ts';
import type { Metrics } from '../platform/metrics.ts';
import { repeat } from '../platform/repeat.ts';
import type { Registry } from '../tenancy/index.ts';
import { agentRoutes } from './agents/agent-routes.ts';
import { archive, cancel } from './change-run.ts';
import { logRoutes } from './log/log-routes.ts';
import { readText } from './log/log-text.ts';
import { measureRuns } from './measure-runs.ts';
import {
  type NewRun,
  type RunFacts,
  type RunFilter,
  type SourceBlock,
  type SourceJoin,
  type SourceUpload,
  isEnded,
} from './model.ts';
import { countQueued, findRun, findRunByRow, listRuns } from './queries.ts';
import { queueNewRun } from './queue/queue-run.ts';
import { runDocuments } from './run-document.ts';
import { RunEvents } from './run-events.ts';
import { factsOf } from './run-facts.ts';
import { runRoutes } from './run-routes.ts';
import type { RunsContext } from './runs-context.ts';
import { joinSource, receiveSourceBlock } from './sources/source-blocks.ts';
import { sourceRoutes } from './sources/source-routes.ts';
import { receiveSource, reserveSource } from './sources/sources.ts';
import { sweep, tidy } from './upkeep.ts';

export {
  type NewRun,
  type RunAccess,
  type RunFacts,
  type RunFilter,
  type RunTrigger,
  type SourceUpload,
  isEnded,
  runStatuses,
} from './model.ts';
export type { RunCredentials, RunLimits, SecretToResolve } from './runs-context.ts';

/** A log as the one text that `az` reads: lines end in CRLF (acr-tasks 6.5). */
export interface LogText {
  readonly sizeBytes: number;
  /** The run has ended, and nothing will follow. */
  readonly isComplete: boolean;
  readonly status: Run['status'];
  /** When it grew last, ms since the epoch. */
  readonly changedAt: number;
}

/** Runs: the queue, the agents that take from it, logs and results. */
export interface Runs {
  readonly routes: readonly Route[];
  /** Checks and queues. @throws INVALID_PARAMETER, TASK_FILE_INVALID, TOOMANYREQUESTS */
  queue(run: NewRun): Promise<RunFacts>;
  find(registryId: number, runId: string): Promise<RunFacts | undefined>;
  list(filter: RunFilter): Promise<readonly RunFacts[]>;
  /** As clients see it, with its steps and its place in the queue. */
  document(run: RunFacts): Promise<Run>;
  /** At once while it is queued; otherwise its agent is told. Undefined: there is no such run. */
  cancel(registryId: number, runId: string): Promise<RunFacts | undefined>;
  archive(registryId: number, runId: string, isArchived: boolean): Promise<RunFacts | undefined>;
  /** Called after each run that ended, in this process; whoever must miss none looks at the runs again at its start. */
  onEnded(listener: (run: RunFacts) => void): void;
  /** Runs that wait in a pool; null: the shared one. */
  queuedIn(registryId: number, agentPool: string | null): Promise<number>;
  /** Files for a run that somebody is going to send to a signed address, once. `secret`: what the address holds. */
  reserveSource(registry: Registry, owner: string): Promise<{ readonly id: string; readonly secret: string }>;
  /** Keeps what comes as the source that was reserved. False: the secret is not the one, or it was used. @throws SIZE_INVALID, STORAGE_FULL */
  receiveSource(registry: Registry, id: string, upload: SourceUpload): Promise<boolean>;
  /** Keeps one block of such a source; one with the same id is replaced. False: as above. @throws SIZE_INVALID, STORAGE_FULL, TOOMANYREQUESTS */
  receiveSourceBlock(registry: Registry, id: string, block: SourceBlock): Promise<boolean>;
  /** Makes blocks the source. False: as above. @throws BLOB_UPLOAD_INVALID when one of them is not there */
  joinSource(registry: Registry, id: string, join: SourceJoin): Promise<boolean>;
  /** The log as text. Undefined: there is no such run. */
  logText(registryId: number, runId: string): Promise<LogText | undefined>;
  /** Bytes `[start, end)` of it. */
  readLogText(registryId: number, runId: string, range: { readonly start: number; readonly end: number }): AsyncIterable<Buffer>;
  /** Begins what runs in the background until the signal aborts: `sweep` and `tidy`, again and again. */
  loops(): readonly Promise<void>[];
  /** Ends runs that no agent ends. */
  sweep(): Promise<void>;
  /** Forgets and erases what has had its time. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

export interface RunsOptions extends Omit<RunsContext, 'ended' | 'events' | 'limits' | 'startedAt'> {
  readonly metrics: Metrics;
  readonly limits: Pick<RunsContext['limits'], 'maxSourceSizeBytes' | 'queueTimeoutMs' | 'runRetentionMs' | 'runsAtOnce'> &
    Partial<RunsContext['limits']>;
}

const usualLimits = { maxQueued: 5_000, maxLogBytes: 100 * 2 ** 20, maxLogRecords: 1_000_000 };
const sweepMs = 2_000;
const tidyMs = 30_000;

/** The queue of runs, what agents take of it, and what they tell. */
export function createRuns({ metrics, ...options }: RunsOptions): Runs {
  const { database, clock, log, signal } = options;
  const events = new RunEvents();
  const context: RunsContext = {
    ...options,
    limits: { ...usualLimits, ...options.limits },
    events,
    startedAt: clock.now(),
    ended: new Map(),
  };
  measureRuns(metrics, context);
  return {
    routes: [...runRoutes(context), ...logRoutes(context), ...sourceRoutes(context), ...agentRoutes(context)],
    queue: (run) => queueNewRun(context, run),
    find: async (registryId, runId) => {
      const row = await findRun(database.read, registryId, runId);
      return row && factsOf(row);
    },
    list: async (filter) => (await listRuns(database.read, filter)).map(factsOf),
    document: (run) => documentOf(context, run),
    cancel: (registryId, runId) => cancel(context, registryId, runId),
    archive: (registryId, runId, isArchived) => archive(context, registryId, runId, isArchived),
    onEnded: (listener) => events.onEnded(listener),
    queuedIn: (registryId, agentPool) => countQueued(database.read, registryId, agentPool),
    reserveSource: (registry, owner) => reserveSource(context, registry, owner),
    receiveSource: (registry, id, upload) => receiveSource(context, registry, id, upload),
    receiveSourceBlock: (registry, id, block) => receiveSourceBlock(context, registry, id, block),
    joinSource: (registry, id, join) => joinSource(context, registry, id, join),
    logText: (registryId, runId) => logTextOf(context, registryId, runId),
    readLogText: (registryId, runId, range) => readLogText(context, { registryId, runId }, range),
    sweep: () => sweep(context),
    tidy: () => tidy(context),
    loops: () => [
      repeat(() => sweep(context), { name: 'runs that nobody ends', everyMs: sweepMs, signal, log }),
      repeat(() => tidy(context), { name: 'runs that have had their time', everyMs: tidyMs, signal, log }),
    ],
    stop: () => events.settled(),
  };
}

async function documentOf(context: RunsContext, { rowId, id }: RunFacts): Promise<Run> {
  const row = await findRunByRow(context.database.read, rowId);
  const [document] = row === undefined ? [] : await runDocuments(context, [row]);
  if (document === undefined) throw new RegistryError('NOT_FOUND', { message: `there is no run ${id} any more` });
  return document;
}

async function logTextOf({ database }: RunsContext, registryId: number, runId: string): Promise<LogText | undefined> {
  const row = await findRun(database.read, registryId, runId);
  if (row === undefined) return undefined;
  const { log_bytes: sizeBytes, status, finished_at: finishedAt, updated_at: updatedAt } = row;
  return { sizeBytes, isComplete: isEnded(status), status, changedAt: finishedAt ?? updatedAt };
}

async function* readLogText(
  context: RunsContext,
  { registryId, runId }: { readonly registryId: number; readonly runId: string },
  range: { readonly start: number; readonly end: number },
): AsyncGenerator<Buffer, void, undefined> {
  const row = await findRun(context.database.read, registryId, runId);
  if (row !== undefined) yield* readText(context, { registryId, rowId: row.id }, range);
}
