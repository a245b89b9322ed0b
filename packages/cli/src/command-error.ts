/** A command that cannot be done, with what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly nextStep: string | undefined;

  constructor(message: string, nextStep?: string, options: ErrorOptions = {}) {
    super(message, options);
    this.nextStep = nextStep;
  }
}
