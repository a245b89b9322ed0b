import type { Readable } from 'node:stream';
import type { Run } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Registry } from '../tenancy/index.ts';
import type { NewRun, RunFacts, RunFilter } from './model.ts';

export { type NewRun, type RunAccess, type RunFacts, type RunFilter, type RunTrigger, isEnded } from './model.ts';

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
  /** The log as text. Undefined: there is no such run. */
  logText(registryId: number, runId: string): Promise<LogText | undefined>;
  /** Bytes `[start, end)` of it. */
  readLogText(registryId: number, runId: string, range: { readonly start: number; readonly end: number }): AsyncIterable<Buffer>;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<void>;
}

export interface SourceUpload {
  readonly secret: string;
  readonly body: Readable;
  readonly sizeBytes: number | undefined;
  readonly signal: AbortSignal;
}
