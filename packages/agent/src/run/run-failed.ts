import type { RunEnd } from './run-host.ts';

/** Why a run ends before its steps do; the message is for the user. */
export class RunFailed extends Error {
  override readonly name = 'RunFailed';
  readonly outcome: RunEnd['outcome'];

  constructor(message: string, outcome: RunEnd['outcome'] = 'Failed') {
    super(message);
    this.outcome = outcome;
  }
}
