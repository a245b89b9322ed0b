interface CommandErrorOptions extends ErrorOptions {
  /** Default: 1. */
  readonly exitCode?: number;
  /** Lines between the sentence and the next step. */
  readonly details?: readonly string[];
}

/** A command that cannot be done, with what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly nextStep: string | undefined;
  readonly exitCode: number;
  readonly details: readonly string[];

  constructor(message: string, nextStep?: string, { exitCode = 1, details = [], ...options }: CommandErrorOptions = {}) {
    super(message, options);
    this.nextStep = nextStep;
    this.exitCode = exitCode;
    this.details = details;
  }
}
