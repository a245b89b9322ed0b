import type { NamedValue } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { ChildKind } from '../resources/index.ts';
import type { NewRun, RunFacts, RunTrigger } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { SealedText, Task } from './model.ts';

export type {
  BaseImageTrigger,
  SealedText,
  SourceTrigger,
  Task,
  TaskProperties,
  TaskStep,
  TaskTriggers,
  TimerTrigger,
} from './model.ts';

/** What a run of a task replaces of it (acr-tasks 6.3, `TaskRunRequest`). */
export interface TaskOverrides {
  readonly values?: readonly NamedValue[];
  readonly arguments?: readonly NamedValue[];
  readonly target?: string;
  readonly contextPath?: string;
  readonly file?: string;
  readonly updateToken?: string;
  /** Check out exactly this commit of this ref, from this repository where it is a fork's. */
  readonly commit?: { readonly commit: string; readonly ref: string; readonly url?: string };
}

export interface TaskRun {
  readonly registry: Registry;
  readonly task: Task;
  readonly requestedBy: string;
  readonly trigger?: RunTrigger;
  readonly isTrusted?: boolean;
  readonly overrides?: TaskOverrides;
}

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
  open(registryId: number, secret: SealedText): string;
  /** Called after a task was made, changed or deleted by this process. */
  onChanged(listener: (change: { readonly registryId: number; readonly name: string }) => void): void;
}
