/** The server does not start, for a reason that its operator can remove: one clear sentence and the next step. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** What to do; stands after the message. */
  readonly nextStep: string;

  constructor(message: string, nextStep: string, options: ErrorOptions = {}) {
    super(message, options);
    this.nextStep = nextStep;
  }
}
