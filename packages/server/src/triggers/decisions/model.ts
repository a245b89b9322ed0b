/** Why a trigger made its task run, or did not. */
export interface TriggerDecision {
  readonly registryId: number;
  readonly task: string;
  /** Its name. */
  readonly trigger: string;
  readonly kind: 'baseImage' | 'source' | 'timer';
  readonly isFired: boolean;
  readonly reason: string;
  /** The run that it queued or joined. */
  readonly run: string | null;
  readonly details: object;
}

/** Of a task that are kept, and for how long. */
export const maxDecisions = 1_000;
export const decisionsKeptMs = 90 * 86_400_000;
