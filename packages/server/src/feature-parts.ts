import type { Access } from './access/index.ts';
import type { Storage } from './open-storage.ts';
import type { Clock } from './platform/clock.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Outbound } from './platform/outbound/index.ts';
import type { Registries } from './registries/index.ts';
import type { PeerSettings } from './replication/index.ts';

/** What features are constructed from. */
export interface FeatureParts {
  readonly storage: Storage;
  readonly access: Access;
  readonly registries: Registries;
  readonly outbound: Outbound;
  readonly peerSettings: PeerSettings;
  /** The default registry is another one now, empty: somebody has to be told how to sign in. */
  readonly onLocalRenewed: () => Promise<void>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}
