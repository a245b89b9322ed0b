import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Agent, startAgent } from './agent/agent.ts';
import { readOptions } from './agent/agent-options.ts';
import { helpText } from './agent/help.ts';
import { AgentRefusal } from './agent/refusal.ts';
import { executeRun } from './run/execute-run.ts';

export interface ProgramSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the agent has to say, a line each. */
  log(line: string): void;
  complain(line: string): void;
  /** Hears of the agent as soon as there is one: to stop it. */
  onStart(agent: Agent, options: { readonly endsWithInput: boolean }): void;
}

/** Runs an agent until it ends; resolves with the exit code. */
export async function runAgentProgram(argv: readonly string[], surroundings: ProgramSurroundings): Promise<number> {
  const { environment, log, complain, onStart } = surroundings;
  if (argv.includes('--help') || argv.includes('-h')) {
    log(helpText());
    return 0;
  }
  try {
    const options = readOptions(argv, environment);
    // Registries of the server are asked with it, too.
    if (options.authority !== undefined) setDefaultCACertificates([...getCACertificates(), options.authority]);
    const agent = await startAgent(options, { execute: executeRun, now: () => Date.now(), log });
    onStart(agent, options);
    await agent.ended;
    return 0;
  } catch (error) {
    if (!(error instanceof AgentRefusal)) throw error;
    complain(`the agent ends: ${error.message}.\nNext: ${error.nextStep}.`);
    return error.exitCode;
  }
}
