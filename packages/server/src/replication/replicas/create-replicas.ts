import type { ReplicaStatus } from '@berth/api';
import type { Registry } from '../../tenancy/index.ts';
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
  /** How it is in a region that says that it cannot hold a registry of this home. */
  refusedBy(registry: Registry, region: string): ReplicaStatus | undefined;
}

/** A region that was asked to hold a registry and said that it cannot. */
function refusedStatus(
  region: string,
  { problem, remedy }: { readonly problem: string; readonly remedy: string },
): ReplicaStatus {
  return {
    region,
    isHome: false,
    isEndpointEnabled: true,
    endpoint: '',
    state: 'failed',
    manifests: { complete: 0, pending: 0 },
    bytes: { copied: 0, pending: 0, perSecond: 0 },
    conflictsResolved: 0,
    damagedAnswers: 0,
    feeds: [],
    problem,
    remedy,
  };
}

export function createReplicas(parts: Omit<ReplicasContext, 'knowledge'>): Replicas {
  const { peers } = parts;
  const knowledge = new RegionKnowledge({ ...parts, region: peers.region });
  const context: ReplicasContext = { ...parts, knowledge };
  const rounds = new ReplicaRounds(context);
  return {
    told: new ToldRegistries(context, rounds.refused),
    problemOf: (name) => rounds.problemOf(name),
    refusedBy: (registry, region) => {
      const refused = registry.homeRegion === undefined ? rounds.refusedBy(registry.name, region) : undefined;
      return refused && refusedStatus(region, refused);
    },
    loops: () => rounds.loops(),
  };
}
