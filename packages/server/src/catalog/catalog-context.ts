import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { LargeManifestGate } from './large-manifest-gate.ts';
import type { ManifestCache } from './manifest-cache.ts';
import type { ManifestParser } from './manifest-parser.ts';

/** What the actions of this feature work with. */
export interface CatalogContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cache: ManifestCache;
  readonly parser: ManifestParser;
  readonly gate: LargeManifestGate;
  /** How long a blob may stay without a manifest that uses it. */
  readonly garbageDelayMs: number;
}
