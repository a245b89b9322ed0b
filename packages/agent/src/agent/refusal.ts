/** Why an agent does not start, or goes: a sentence, and what to do. */
export class AgentRefusal extends Error {
  override readonly name = 'AgentRefusal';
  readonly nextStep: string;
  readonly exitCode: number;

  constructor(
    message: string,
    nextStep: string,
    { exitCode = 1, cause }: { readonly exitCode?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.nextStep = nextStep;
    this.exitCode = exitCode;
  }
}

/** What processes that start agents can tell from their exit code. */
export const exitCodes = { refused: 1, noEngine: 3, unauthorized: 4 } as const;
