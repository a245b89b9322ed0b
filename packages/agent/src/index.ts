export { type ProgramSurroundings, runAgentProgram } from './program.ts';
export type { Agent } from './agent/agent.ts';
