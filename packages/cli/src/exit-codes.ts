import type { Run } from '@berth/api';

/** By what a run came to; 2 is for one that could not be queued. */
export const exitCodes: Readonly<Record<Run['status'], number>> = {
  Queued: 0,
  Started: 0,
  Running: 0,
  Succeeded: 0,
  Failed: 1,
  Canceled: 3,
  Timeout: 4,
  Error: 5,
};

export const exitCodeHelp = `
Exit codes: 0 the run succeeded, 1 it failed, 2 it could not be run (wrong input, refused), 3 it was cancelled, 4 it ran out
of time, 5 it ended with an error that is not its own, or its server is away.`;
