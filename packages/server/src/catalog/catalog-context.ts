import type { FactRequest } from '@berth/api';
import type { Logger } from 'pino';
import type { BlobToRead } from '../blobs/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Recent } from '../platform/recent.ts';
import type { Verdict } from './life.ts';
import type { LargeManifestGate } from './large-manifest-gate.ts';
import type { ManifestCache } from './manifest-cache.ts';
import type { ManifestParser } from './manifest-parser.ts';
import type { Platform } from './model.ts';

export interface Meter {
  pulled(pull: {
    readonly registryId: number;
    readonly repository: string;
    readonly manifestId: number;
    readonly tag: string | undefined;
  }): void;
  pushed(registryId: number): void;
}

/** What the actions of this feature work with. */
export interface CatalogContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cache: ManifestCache;
  readonly parser: ManifestParser;
  readonly gate: LargeManifestGate;
  /** What configs tell, by their digest. */
  readonly platforms: Recent<Platform>;
  /** Counts what is served and taken. */
  readonly meter?: Meter;
  readonly readBlob: (wanted: BlobToRead) => Promise<Buffer | undefined>;
  /** Bytes that a registry may store; absent: as many as it likes. */
  readonly limitOf?: (registryId: number) => number;
  /** How long a blob may stay without a manifest that uses it. */
  readonly garbageDelayMs: number;
  /** Told after tags were set or deleted, so that what has lost its last one need not wait for its time. */
  readonly onTagsMoved?: (registryId: number) => void;
  /** What other regions have of replicated registries. */
  readonly elsewhere?: CatalogElsewhere;
}

/** What other regions have. Asked for replicated registries only. */
export interface CatalogElsewhere {
  /** What a tag was set to last, when that is not complete here yet; undefined: what is here holds. */
  newer(name: {
    readonly registryId: number;
    readonly repository: string;
    readonly reference: string;
  }): Promise<ManifestElsewhere | undefined>;
  /** What a tag or digest names that is not here; undefined: nothing that a region knows of, or it has just come. */
  missing(name: {
    readonly registryId: number;
    readonly repository: string;
    readonly reference: string;
  }): Promise<ManifestElsewhere | undefined>;
  /**
   * Deletes a tag or a digest that is on its way; what is here is not its concern. False: no region knows of it.
   * @throws REGISTRY_DISALLOWED_OPERATION
   */
  remove(
    name: { readonly registryId: number; readonly repository: string; readonly reference: string },
    request: FactRequest | undefined,
  ): Promise<boolean>;
  /** Brings those blobs and manifests that are on their way, for a push that names them. False: none is. */
  bring(
    place: { readonly registryId: number; readonly repository: string; readonly digests: readonly string[] },
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** A manifest whose content is not complete here. */
export interface ManifestElsewhere {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly isReadable: boolean;
  readonly verdict: Verdict | null;
}
