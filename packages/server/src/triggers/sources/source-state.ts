import type { SealedText } from '../../tasks/index.ts';
import type { ForgeName } from './model.ts';

/** More refs are not remembered; the oldest are forgotten first. */
export const maxHeads = 2000;
const maxStatuses = 200;

/** The last commit of a ref. */
export interface SeenHead {
  readonly ref: string;
  readonly commit: string;
  /** A run of it is being queued; if nothing is heard until then, it is as if it had not been seen. */
  readonly claimedUntil?: number;
  /** What was seen before the claim. */
  readonly previous?: string | undefined;
}

/** A hook that was made at the forge. */
export interface InstalledHook {
  readonly forge: ForgeName;
  readonly id: string;
  /** Where the forge's API keeps hooks of the repository. */
  readonly collection: string;
  /** Of everything that it was made from. */
  readonly digest: string;
  /** As the task's; with it the hook is removed when the trigger is gone. */
  readonly token: SealedText;
}

/** A commit status that has still to be posted. */
export interface PendingStatus {
  readonly run: string;
  readonly commit: string;
  readonly isQueuedPosted: boolean;
  readonly attempts: number;
  readonly nextAt: number;
}

/** What is known of a trigger's repository, beside its task (`task_sources.state`). */
export interface SourceState {
  /** The address that the secret was made for: another repository gets another secret. */
  readonly repository: string;
  readonly secret: SealedText;
  readonly heads: readonly SeenHead[];
  /** Who sent the last hook. */
  readonly forge?: ForgeName;
  readonly isLooked?: boolean;
  readonly hook?: InstalledHook;
  readonly hookFailures?: number;
  readonly hookRetryAt?: number;
  readonly statuses: readonly PendingStatus[];
  readonly problems: Readonly<Partial<Record<ProblemKind, string>>>;
}

export type ProblemKind = 'hook' | 'poll' | 'status';

export interface SourcePlace {
  readonly registryId: number;
  readonly task: string;
  readonly name: string;
}

/** The commit that was seen last of a ref. */
export function lastCommitOf(state: SourceState, ref: string, now: number): string | undefined {
  const head = state.heads.find((seen) => seen.ref === ref);
  if (head === undefined) return undefined;
  return head.claimedUntil !== undefined && head.claimedUntil <= now ? head.previous : head.commit;
}

/** With another last commit of a ref; the ref moves to the end, as the youngest. */
export function withHead(state: SourceState, head: SeenHead): SourceState {
  const others = state.heads.filter(({ ref }) => ref !== head.ref);
  return { ...state, heads: [...others, head].slice(-maxHeads) };
}

export function withStatus(state: SourceState, status: PendingStatus): SourceState {
  const others = state.statuses.filter(({ run }) => run !== status.run);
  return { ...state, statuses: [...others, status].slice(-maxStatuses) };
}

export function withProblem(state: SourceState, kind: ProblemKind, problem: string | undefined): SourceState {
  const { [kind]: _, ...others } = state.problems;
  return { ...state, problems: problem === undefined ? others : { ...others, [kind]: problem } };
}

/** What the row says. */
export function problemText({ problems }: SourceState): string | null {
  const texts = Object.values(problems);
  return texts.length === 0 ? null : texts.join('; ');
}
