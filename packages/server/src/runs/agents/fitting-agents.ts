import type { RunRow } from '../../platform/database/index.ts';
import type { KnownAgent } from './known-agents.ts';

/** What agents are chosen by. */
export type RunPlace = Pick<RunRow, 'agent_pool' | 'os' | 'architecture'>;

/** Those agents that could take such a run, or why there is none. */
export function fittingAgents(
  { agent_pool: pool, os, architecture }: RunPlace,
  agents: readonly KnownAgent[],
): readonly KnownAgent[] | string {
  const ofPool = agents.filter(({ agentPool, isOnline }) => isOnline && agentPool === pool);
  const poolText = pool === null ? 'no agent' : `no agent of the pool ${pool}`;
  if (ofPool.length === 0) return `${poolText} has asked for work in the last minute`;
  const ofSystem = ofPool.filter((agent) => agent.os.toLowerCase() === os);
  if (ofSystem.length === 0) return `${poolText} runs on ${os === 'windows' ? 'Windows' : 'Linux'}`;
  const fitting = ofSystem.filter(({ architectures }) => architectures.includes(architecture));
  return fitting.length === 0 ? `${poolText} builds for ${architecture}` : fitting;
}
