import type { Network, Problem, Step, Volume } from '@berth/task-file';

/** What a run is going to do: a task file that was read, or the steps of a quick build. */
export interface RunPlan {
  readonly steps: readonly Step[];
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
  /** Real build secrets, by id: arguments of a quick build that are secret. */
  readonly buildSecrets: ReadonlyMap<string, string>;
}

/** Puts problems where the user looks for them: `file:line:column: message`. */
export function placedText({ message, place }: Problem, file: string): string {
  return place === undefined ? `${file}: ${message}` : `${file}:${place.line}:${place.column}: ${message}`;
}
