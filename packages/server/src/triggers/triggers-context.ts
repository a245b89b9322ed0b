import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Logger } from '../platform/logger.ts';
import type { Outbound } from '../platform/outbound/index.ts';
import type { RemoteCredentials } from '../platform/registry-client/index.ts';
import type { Runs } from '../runs/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { NamedManifest } from './base-images/images-of.ts';

/** A tag of a repository. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string;
}

/** What triggers work with. */
export interface TriggersContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly outbound: Outbound;
  readonly tasks: Tasks;
  readonly runs: Runs;
  readonly registries: {
    all(): readonly Registry[];
    byId(registryId: number): Registry | undefined;
  };
  /** What a tag names now that can be pulled, whoever may; undefined: nothing, or it is in quarantine. */
  digestOf(registryId: number, image: ImageName): Promise<string | undefined>;
  /** The same as whoever has the credentials, or nobody, may know it. @throws RegistryError */
  digestFor(registry: Registry, image: ImageName, credentials: RemoteCredentials | undefined): Promise<string>;
  /** A manifest that is there, whoever may pull it. */
  manifestOf(
    registryId: number,
    name: { readonly repository: string; readonly digest: string },
  ): Promise<NamedManifest | undefined>;
  /** `https://host` by which the world reaches a registry. Undefined: nobody has said. */
  publicOrigin(registry: Registry): string | undefined;
  readonly limits: TriggerLimits;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

export interface TriggerLimits {
  /** How long until a base image of another registry is looked at again. */
  readonly pollIntervalMs: number;
  /** How long a tag must have stayed: clients lead it through the images of an index before it names the index. */
  readonly settleMs: number;
  /** Runs of one task for one base image within an hour. */
  readonly runsPerHour: number;
}
