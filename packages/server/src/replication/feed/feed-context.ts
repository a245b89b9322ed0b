import type { ReplicaStatus } from '@berth/api';
import type { Blobs } from '../../blobs/index.ts';
import type { Catalog } from '../../catalog/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/index.ts';
import type { ManagedKeyRing } from '../../platform/keys/index.ts';
import type { RegionKeys } from '../../platform/region-keys/index.ts';
import type { Registries } from '../../registries/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { RegistriesTold } from '../settings/model.ts';
import type { FeedWaits } from './feed-waits.ts';

/** What the answers to other regions are made of. */
export interface FeedContext {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  readonly registries: Pick<Registries, 'byName'>;
  readonly catalog: Pick<Catalog, 'forRegion'>;
  readonly blobs: Pick<Blobs, 'forRegion'>;
  /** This region. */
  readonly region: string;
  /** Of the program. */
  readonly version: string;
  /** Undefined: no region can sign in, and nothing is asked. */
  readonly regionKeys: RegionKeys | undefined;
  readonly tombstoneRetentionMs: number;
  readonly told: RegistriesTold;
  readonly statusOf: (registry: Registry) => Promise<ReplicaStatus>;
  readonly waits: FeedWaits;
  /** Aborts when the server is told to stop: nobody waits any longer. */
  readonly signal: AbortSignal;
}
