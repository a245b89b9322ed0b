import type { ReplicationPart } from '../replication-context.ts';
import type { RegistriesTold } from '../settings/model.ts';
import { RegionKnowledge } from './region-knowledge.ts';
import { ReplicaRounds } from './replica-rounds.ts';
import type { ReplicasContext } from './replicas-context.ts';
import { ToldRegistries } from './tell-registries.ts';

/** Which registries this region holds for others, and what it tells others of its own. */
export interface Replicas extends ReplicationPart {
  readonly told: RegistriesTold;
  /** Why a registry of this name cannot be held here as another region wants, or its settings not be taken over. */
  problemOf(name: string): { readonly problem: string; readonly remedy: string } | undefined;
}

export function createReplicas(parts: Omit<ReplicasContext, 'knowledge'>): Replicas {
  const { peers } = parts;
  const knowledge = new RegionKnowledge({ ...parts, region: peers.region });
  const context: ReplicasContext = { ...parts, knowledge };
  const rounds = new ReplicaRounds(context);
  return {
    told: new ToldRegistries(context, rounds.refused),
    problemOf: (name) => rounds.problemOf(name),
    loops: () => rounds.loops(),
  };
}
