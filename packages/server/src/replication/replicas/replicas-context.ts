import type { Registry, Plan } from '../../tenancy/index.ts';
import type { ReplicationContext } from '../replication-context.ts';
import type { CredentialsOfRegions, RegionKnowledge } from './region-knowledge.ts';

/** What the parts that make replicas work with. */
export interface ReplicasContext
  extends Pick<ReplicationContext, 'database' | 'keys' | 'clock' | 'log' | 'registries' | 'peers' | 'bells' | 'signal'> {
  readonly credentials: CredentialsOfRegions;
  readonly knowledge: RegionKnowledge;
  /** Of the default registry when it is made anew. */
  readonly defaultPlan: Plan;
  /** The default registry is another one now, empty and without an admin user: somebody has to be told how to sign in. */
  readonly onLocalRenewed: (local: Registry) => Promise<void>;
}
