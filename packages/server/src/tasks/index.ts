import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Outbound } from '../platform/outbound/index.ts';
import { agentPoolKind } from './kinds/agent-pool-kind.ts';
import { taskDetails, taskKind } from './kinds/task-kind.ts';
import { taskRunKind } from './kinds/task-run-kind.ts';
import { allTasks, findTask } from './queries.ts';
import { taskRoutes } from './routes.ts';
import { runOfRequest } from './run-of-request.ts';
import { runOfTask } from './run-of-task.ts';
import { openText } from './seal-secrets.ts';
import { type KeyVaultSettings, createKeyVault } from './secrets/key-vault.ts';
import { resolveSecrets } from './secrets/resolve-secrets.ts';
import type { TasksContext } from './tasks-context.ts';
import type { ChildKind } from '../resources/index.ts';
import type { NewRun, RunFacts, Runs } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { RequestedRun, SealedText, SecretAddress, Task, TaskRun } from './model.ts';

export { runDocument } from './run-document.ts';
export type {
  BaseImageTrigger,
  RequestedRun,
  SealedText,
  SecretAddress,
  SourceTrigger,
  Task,
  TaskOverrides,
  TaskProperties,
  TaskRun,
  TaskStep,
  TaskTriggers,
  TimerTrigger,
} from './model.ts';

/** Tasks as they are defined, and the secrets that they use. */
export interface Tasks {
  readonly routes: readonly Route[];
  /** `tasks`, `taskRuns` and `agentPools`, as child resources of registries. */
  readonly kinds: readonly ChildKind[];
  find(registryId: number, name: string): Promise<Task | undefined>;
  /** Of every registry, or of one. */
  all(registryId?: number): Promise<readonly Task[]>;
  /** What a run of the task asks for, with its secrets opened. @throws KEY_UNAVAILABLE, INVALID_PARAMETER */
  runOf(run: TaskRun): Promise<NewRun>;
  /** Queues a run of a task. @throws what queueing a run throws */
  run(run: TaskRun): Promise<RunFacts>;
  /** What such a request asks for, with its task looked up and its secrets resolved. @throws INVALID_PARAMETER, RESOURCE_NOT_FOUND, UPSTREAM_FAILED */
  runOfRequest(request: RequestedRun): Promise<{ readonly run: NewRun; readonly isArchiveEnabled: boolean }>;
  /** All of a task's `properties`, its secrets opened: `listDetails`. @throws KEY_UNAVAILABLE */
  details(task: Task): Promise<Readonly<Record<string, unknown>>>;
  /** Values of secrets that task files name, of the registry's store and of vaults. @throws INVALID_PARAMETER, UPSTREAM_FAILED */
  resolveSecrets(
    registry: Registry,
    sources: readonly SecretAddress[],
  ): Promise<readonly { readonly id: string; readonly value: string }[]>;
  open(registryId: number, secret: SealedText): string;
  /** Called after a task was made, changed or deleted by this process. */
  onChanged(listener: (change: { readonly registryId: number; readonly name: string }) => void): void;
}

export interface TasksOptions {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly runs: Pick<Runs, 'queue' | 'find' | 'document' | 'queuedIn'>;
  readonly outbound: Outbound;
  readonly keyVault: KeyVaultSettings;
  readonly region: string;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}

type Changed = Parameters<Tasks['onChanged']>[0];

export function createTasks({ keyVault, outbound, signal, ...options }: TasksOptions): Tasks {
  const listeners: Changed[] = [];
  const context: TasksContext = {
    ...options,
    vault: createKeyVault(keyVault, outbound),
    signal,
    taskChanged: ({ id }, name) => {
      for (const listener of listeners) listener({ registryId: id, name });
    },
  };
  const { database, keys, runs } = options;
  const task = taskKind(context) as ChildKind;
  return {
    routes: taskRoutes(context, task),
    kinds: [task, taskRunKind(context) as ChildKind, agentPoolKind(context) as ChildKind],
    find: (registryId, name) => findTask(database.read, registryId, name),
    all: (registryId) => allTasks(database.read, registryId),
    runOf: (run) => runOfTask(context, run),
    run: async (run) => runs.queue(await runOfTask(context, run)),
    runOfRequest: (request) => runOfRequest(context, request),
    details: (each) => taskDetails(context, each, each.registryId),
    resolveSecrets: (registry, sources) => resolveSecrets(context, registry, { sources, signal }),
    open: (registryId, secret) => openText(keys, registryId, secret),
    onChanged: (listener) => void listeners.push(listener),
  };
}
