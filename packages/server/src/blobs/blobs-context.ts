import type { Digest } from '@berth/oci';
import type { Logger } from 'pino';
import type { SealedStore } from '../platform/blob-store/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Digests } from '../platform/digests/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** What the actions of this feature work with. */
export interface BlobsContext {
  readonly database: Database;
  readonly store: SealedStore;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sessions: UploadSessions;
  readonly digests: Digests;
  /** How many bytes a registry may store; undefined: any number. */
  readonly limitOf?: (registryId: number) => number | undefined;
  /** How long a linked blob may wait for a manifest. */
  readonly garbageDelayMs: number;
  /** What other regions have of replicated registries. */
  readonly elsewhere?: BlobsElsewhere;
}

/** Names a blob of a repository. */
export interface BlobName {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: Digest;
}

/** What other regions have. Asked for replicated registries only, and only about what is not here. */
export interface BlobsElsewhere {
  /**
   * A blob that a manifest of the repository needs which is known here and not complete yet; undefined: none does.
   * @throws REGISTRY_DISALLOWED_OPERATION when the repository may not be read
   */
  find(blob: BlobName): Promise<BlobElsewhere | undefined>;
  /** A stored part of a blob of this registry does not open: it is brought again in the background. */
  damaged(registryId: number): void;
}

export interface BlobElsewhere {
  readonly sizeBytes: number;
  /** A region that has it is up. */
  readonly isReachable: boolean;
  /** All of its bytes; it ends with an error before the last of them when they are not what the digest says. */
  open(signal: AbortSignal): AsyncGenerator<readonly Buffer[], void, undefined>;
}

/** Who asks, for which repository. */
export interface UploadRequester {
  readonly registryId: number;
  readonly repository: string;
  readonly principalId: string;
  /** Brings what another region took: locks and limits were asked there, and do not count here. */
  readonly isReplica?: boolean;
}
