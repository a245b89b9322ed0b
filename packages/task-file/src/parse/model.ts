import type { BuildCommand } from '../command/build-command.ts';
import type { RunCommand } from '../command/run-command.ts';
import type { Condition } from '../graph/scheduler.ts';
import type { Place } from '../place.ts';

/** A task file, read and checked (acr-tasks 1). */
export interface TaskFile {
  readonly version: string;
  readonly steps: readonly Step[];
  /** By step, those that it waits for. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
  readonly secrets: readonly SecretSource[];
}

export interface SecretSource {
  readonly id: string;
  /** The address of a secret in a vault, or `https://berth/secrets/NAME`. */
  readonly keyvault: string;
  readonly clientId: string | undefined;
}

export interface Network {
  readonly name: string;
  readonly driver: string | undefined;
  readonly isIpv6: boolean;
  readonly skipsCreation: boolean;
  readonly isDefault: boolean;
}

/** Files that steps see, and the workspace does not. */
export interface Volume {
  readonly name: string;
  /** By file name. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
}

export type StepAction =
  | { readonly kind: 'build'; readonly build: BuildCommand; readonly isCached: boolean }
  | { readonly kind: 'push'; readonly images: readonly string[] }
  | { readonly kind: 'cmd'; readonly command: RunCommand };

export interface Step {
  readonly id: string;
  readonly action: StepAction;
  readonly condition: Condition;
  /** Over all attempts and repetitions. */
  readonly timeoutSeconds: number;
  readonly startDelaySeconds: number;
  readonly ignoresErrors: boolean;
  /** `NAME=value`; those of the step behind those of the file. */
  readonly environment: readonly string[];
  readonly retries: number;
  readonly retryDelaySeconds: number;
  /** Empty: every failure. */
  readonly retryOnErrors: readonly string[];
  readonly repeat: number;
  readonly downloadRetries: number;
  readonly downloadRetryDelaySeconds: number;
  readonly pulls: boolean;
  readonly entryPoint: string | undefined;
  readonly isKept: boolean;
  readonly isDetached: boolean;
  readonly isPrivileged: boolean;
  readonly user: string | undefined;
  readonly network: string | undefined;
  readonly ports: readonly string[];
  readonly expose: readonly string[];
  readonly isolation: string | undefined;
  readonly cpus: string | undefined;
  /** Absolute in the container; undefined: the image's own. */
  readonly workingDirectory: string | undefined;
  readonly volumeMounts: readonly VolumeMount[];
  /** Exit codes that count as success; empty: 0 alone. */
  readonly exitedWith: readonly number[];
  /** Exit codes that count as failure, when there are any; all others then are success. */
  readonly exitedWithout: readonly number[];
  readonly place: Place | undefined;
}

export const workspace = '/workspace';

/** Whether an exit code is success for a step. */
export function isSuccess(exitCode: number, { exitedWith, exitedWithout }: Pick<Step, 'exitedWith' | 'exitedWithout'>): boolean {
  if (exitedWithout.length > 0) return !exitedWithout.includes(exitCode);
  if (exitedWith.length > 0) return exitedWith.includes(exitCode);
  return exitCode === 0;
}
