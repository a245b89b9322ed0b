import type { Engine } from '../engine/index.ts';
import type { LoginFolders } from './registry-logins.ts';
import type { RunHost } from './run-host.ts';
import type { RunImages } from './run-images.ts';
import type { RunPlan } from './run-plan.ts';
import type { RunResources } from './run-resources.ts';
import type { StepTable } from './step-table.ts';

/** What the steps of a run share. */
export interface RunScene {
  readonly host: RunHost;
  /** With the run's logins. */
  readonly engine: Engine;
  readonly plan: RunPlan;
  readonly workspace: string;
  readonly logins: LoginFolders;
  readonly resources: RunResources;
  readonly images: RunImages;
  readonly table: StepTable;
  readonly commit: string;
  /** `repository:tag`, to be untagged by the server. */
  readonly temporaryTags: string[];
  /** What goes on beside the steps and ends with the run: the logs of detached containers. */
  readonly followed: Set<Promise<void>>;
  /** Aborts when the steps are over. */
  readonly ending: AbortSignal;
}

/** How one attempt at a step went. */
export interface Attempt {
  /** Null when no program ended by itself. */
  readonly exitCode: number | null;
  /** What was wrong, where an exit code does not say it. */
  readonly reason?: string;
  readonly lastLines: readonly string[];
  /** Another attempt would end the same. */
  readonly isFinal?: boolean;
  /** It was not done at all, for this reason. */
  readonly skipped?: string;
}

/** What an attempt gets of the step around it. */
export interface AttemptContext {
  readonly signal: AbortSignal;
  /** One line of the step's output. */
  line(stream: 'stdout' | 'stderr', text: string): void;
  /** What the agent has to say. */
  say(text: string): void;
}
