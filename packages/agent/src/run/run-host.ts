import type { Assignment, RunReport, RunStep } from '@berth/api';
import type { SecretSource } from '@berth/task-file';

/** Why a run is to stop before its end; the reason of `RunHost.signal`. */
export type RunStop = 'canceled' | 'timeout' | 'lease-lost' | 'agent-stopping' | 'output-limit' | 'disk-limit';

/** What a run may use. */
export interface RunLimits {
  /** Of all its log lines together. */
  readonly outputBytes: number;
  /** Of each container. */
  readonly memoryBytes: number;
  /** Processes of each container. */
  readonly processes: number;
  /** Of its files, and of what its containers write. */
  readonly diskBytes: number;
  /** Whether steps may be privileged, or get the engine's socket. */
  readonly allowsPrivileged: boolean;
  readonly allowsEngineSocket: boolean;
}

export interface CacheUse {
  /** Whether what is in it counts for the run. */
  readonly isCounted: boolean;
  /** Called while nobody else uses the folder. When it throws, so does the opening. */
  prepare(path: string, remove: (path: string) => Promise<void>): Promise<void>;
}

/** What executes a run sees of the agent around it. */
export interface RunHost {
  readonly assignment: Assignment;
  /** Who executes the run, for those who read where an image comes from. */
  readonly agent: { readonly name: string; readonly version: string };
  /** Stands in the label `berth.agent` of all that the engine keeps for this agent. */
  readonly agentId: string;
  /** Of this run alone, on disk; it is deleted after the run. The workspace is `<folder>/workspace`. */
  readonly folder: string;
  /** Of this run alone, in memory where the system has such a place; it is deleted after the run. */
  readonly secretsFolder: string;
  readonly limits: RunLimits;
  /** Aborts with a `RunStop` as its reason. */
  readonly signal: AbortSignal;
  /** A folder that outlives the run, for builds that know this word; nobody removes it until it is closed. */
  openCache(space: string, use: CacheUse): Promise<{ readonly path: string; close(): void }>;
  /** A short path, of this agent alone, for what need not outlive it; in memory where the system has such a place. */
  inMemory(name: string): string;
  /** One line, without its end; masked, cleaned of control sequences and bounded before it goes anywhere. `step`: empty for the run itself. */
  log(step: string, stream: 'agent' | 'stdout' | 'stderr', text: string): void;
  /** All steps as they are now, in the order of the file. */
  steps(states: readonly RunStep[]): void;
  /** Brings the run's source into the workspace. @throws SourceError whose message is for the user */
  fetchSource(workspace: string): Promise<{ readonly commit?: string; readonly branch?: string }>;
  /** A document from an address or a file that a task file names (`alias.src`); bounded. */
  fetchDocument(name: string, workspace: string): Promise<string>;
  /** The values, which are masked in the log from now on. @throws SourceError whose message is for the user */
  resolveSecrets(sources: readonly SecretSource[]): Promise<ReadonlyMap<string, string>>;
  /** Never shows this text, neither in the log nor in what is attached to images. */
  mask(secret: string): void;
  /** A text without what must not be shown, for whoever can read an image. */
  hide(text: string): string;
}

/** How a run ended, as the server is told. */
export type RunEnd = NonNullable<RunReport['end']>;
