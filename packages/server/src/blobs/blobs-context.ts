import type { Logger } from 'pino';
import type { SealedStore } from '../platform/blob-store/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
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
  /** How many bytes a registry may store; undefined: any number. */
  readonly limitOf?: (registryId: number) => number | undefined;
  /** How long a linked blob may wait for a manifest. */
  readonly garbageDelayMs: number;
}

/** Who asks, for which repository. */
export interface UploadRequester {
  readonly registryId: number;
  readonly repository: string;
  readonly principalId: string;
}
