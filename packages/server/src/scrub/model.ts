/** What a scrub has done so far. Times are milliseconds since the epoch. */
export interface ScrubProgress {
  readonly state: 'never' | 'running' | 'finished' | 'stopped';
  readonly partsChecked: number;
  /** Of plaintext. */
  readonly bytesChecked: number;
  readonly manifestsChecked: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export const neverScrubbed: ScrubProgress = {
  state: 'never',
  partsChecked: 0,
  bytesChecked: 0,
  manifestsChecked: 0,
  startedAt: null,
  finishedAt: null,
};

/** Content that does not open. */
export interface Damage {
  /** The part's name; `manifest of <repository>` for a manifest, which lies in the database. */
  readonly part: string;
  readonly digest: string | null;
  readonly reason: string;
  readonly foundAt: number;
}

/** More damage than this is a lost disk: the list ends there. */
export const maxListedDamage = 1_000;
