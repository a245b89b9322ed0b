/** A base image that somebody has to decide about. */
export interface MovedImage {
  /** `registry/repository:tag`. */
  readonly name: string;
  /** What the last successful run used. */
  readonly recorded: string;
  /** What the tag names now. */
  readonly current: string;
  /** The last one that a run was queued for. */
  readonly handled: string | null;
  /** A run that was queued for it by a process that died before it could say so. */
  readonly alreadyQueued?: string | undefined;
  /** Its images are those of what was recorded, or handled: only the index around them is another. */
  readonly sameImagesAs?: 'recorded' | 'handled' | undefined;
  /** Nobody can pull it yet. */
  readonly isQuarantined?: boolean;
  /** Tasks whose runs led to the push, the last one at the end; empty: it was no run. */
  readonly chain: readonly string[];
  /** When runs of the task were queued for this image within the last hour, ms since the epoch. */
  readonly recentRuns: readonly number[];
}

export interface BaseImageQuestion {
  /** As chains name it. */
  readonly task: string;
  readonly isTaskEnabled: boolean;
  readonly isTriggerEnabled: boolean;
  /** A run of the task that a trigger queued and no agent has taken yet: it will use what is there then. */
  readonly waitingRun: string | undefined;
  readonly images: readonly MovedImage[];
  readonly runsPerHour: number;
  readonly now: number;
}

/**
 * `fire`: a run is to be queued. `join`: one that waits will do. `pause`: not now. `none`: not at all; with `isHandled` never for
 * this digest.
 */
export type Verdict =
  | { readonly kind: 'fire'; readonly reason: string }
  | { readonly kind: 'join'; readonly reason: string; readonly run: string }
  | { readonly kind: 'pause'; readonly reason: string; readonly until: number }
  | { readonly kind: 'none'; readonly reason: string; readonly isHandled: boolean; readonly run?: string };

const hourMs = 3_600_000;

/** One verdict for each image, in their order (attack 35). Images that fire together want one run. */
export function decide(question: BaseImageQuestion): readonly Verdict[] {
  const verdicts = question.images.map((image) => judge(question, image));
  const isRun = verdicts.some(({ kind }) => kind === 'fire');
  return verdicts.map((verdict) =>
    verdict.kind === 'pause' && isRun
      ? { kind: 'fire', reason: 'it moved often within the last hour, but another base image needs a run anyway' }
      : verdict,
  );
}

function judge(question: BaseImageQuestion, image: MovedImage): Verdict {
  const { task, isTaskEnabled, isTriggerEnabled, waitingRun, runsPerHour } = question;
  const { recorded, current, handled, alreadyQueued, sameImagesAs, isQuarantined, chain, recentRuns } = image;
  if (current === recorded) return nothing('it is what the last successful run used');
  if (sameImagesAs === 'recorded')
    return nothing('its images are what the last successful run used: only what is attested of them is new');
  if (alreadyQueued !== undefined)
    return { ...nothing(`the run ${alreadyQueued} was queued for this digest already`, true), run: alreadyQueued };
  if (current === handled) return nothing('a run was queued for this digest already');
  if (sameImagesAs === 'handled') return nothing('a run was queued for these images already');
  if (!isTaskEnabled) return nothing('the task is disabled');
  if (!isTriggerEnabled) return nothing('the trigger is disabled');
  if (chain.at(-1) === task) return nothing('a run of the task itself pushed it: it would run for ever', true);
  if (chain.includes(task))
    return nothing(`a run of the task led to it: it would go round for ever (${chain.join(' → ')})`, true);
  if (isQuarantined === true) return nothing('it is in quarantine: it is looked at again when it is let out');
  if (waitingRun !== undefined)
    return { kind: 'join', reason: `joined to the run ${waitingRun}, which has not begun yet`, run: waitingRun };
  const oldest = recentRuns.toSorted((a, b) => a - b).at(-runsPerHour);
  if (recentRuns.length >= runsPerHour && oldest !== undefined) {
    const until = oldest + hourMs;
    const reason = `${recentRuns.length} runs for this image within an hour are enough: what it is then is looked at after ${new Date(until).toISOString()}`;
    return { kind: 'pause', reason, until };
  }
  return { kind: 'fire', reason: 'it has another digest than the last successful run used' };
}

function nothing(reason: string, isHandled = false): Extract<Verdict, { kind: 'none' }> {
  return { kind: 'none', reason, isHandled };
}
