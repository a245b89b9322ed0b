import type { Route } from '../http/route.ts';
import type { ChildKind } from '../resources/index.ts';
import type { NewRun, RunFacts } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { RequestedRun, SealedText, SecretAddress, Task, TaskRun } from './model.ts';

export { type TasksOptions, createTasks } from './create-tasks.ts';
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
