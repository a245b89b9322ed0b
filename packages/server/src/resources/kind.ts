import type { Operation } from '@berth/api';
import type { Registry } from '../tenancy/index.ts';
import type { Fields } from './fields.ts';

/** A child resource of a registry, as it is kept. `Properties`: what its kind stores, plain JSON. */
export interface Child<Properties = unknown> {
  readonly name: string;
  /** Null for kinds that have none. */
  readonly location: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Properties;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly updatedBy: string;
}

export interface NameRule {
  readonly pattern: RegExp;
  /** Goes on after "the name of a … must be". */
  readonly words: string;
}

/** Where and when something is asked of a kind. */
export interface KindScene {
  readonly registry: Registry;
  readonly name: string;
  readonly now: number;
  /** The one child of this kind with a name, if there is one. */
  readonly find: (collection: string, name: string) => Promise<Child | undefined>;
  /** The id of the principal that writes, when something is written. */
  readonly requestedBy?: string;
  /** The whole document that a client sent, when one is written: what stands beside `properties`. */
  readonly document?: Fields;
}

/** How something is asked of a child. */
export interface AskedOfChild {
  readonly query: URLSearchParams;
  /** `scheme://host[:port]` as the client sees this server. */
  readonly origin: string;
}

/**
 * A kind of child resource (acr-api 3.2). A feature that owns one declares it; the resource manager serves it: names,
 * tags, paging, merging, concurrency, plan limits. Secrets are no part of `properties`.
 */
export interface ChildKind<Properties = unknown> {
  /** `scopeMaps`, as it stands in paths. */
  readonly collection: string;
  /** As it stands in a sentence. */
  readonly word: string;
  readonly nameRule: NameRule;
  /** It has a location and tags. */
  readonly isTracked: boolean;
  /** What to keep of a body that makes or replaces one. @throws INVALID_PARAMETER and others */
  create(properties: Fields, scene: KindScene): Properties | Promise<Properties>;
  /** What to keep after a body that changes one; members that it does not name stay. */
  update(before: Properties, properties: Fields, scene: KindScene): Properties | Promise<Properties>;
  /** The `properties` that clients see. */
  show(
    child: Child<Properties>,
    scene: KindScene,
  ): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  /** What clients see beside `properties`: `identity`. */
  showBeside?(child: Child<Properties>): Readonly<Record<string, unknown>>;
  /** How many a registry may have, where its plan does not say. */
  readonly atMost?: number;
  /** ACR answers 200 where others answer 201, and its command line relies on it. */
  readonly isCreatedQuietly?: boolean;
  /** Can be read for some seconds after its deletion, as being deleted: ACR's command line relies on it. */
  readonly isSeenLeaving?: boolean;
  /** Children that are always there and cannot be changed. */
  readonly builtIn?: readonly Child<Properties>[];
  /** @throws CONFLICT when something still needs it */
  requireDeletable?(child: Child<Properties>, scene: KindScene): void | Promise<void>;
  /** Deletes one itself, with what hangs on it, instead of its row alone. Whether there was one. */
  remove?(child: Child<Properties>, scene: KindScene): Promise<boolean>;
  /** What can be asked of one by POST, and the JSON that answers. */
  readonly actions?: readonly {
    readonly operation: Operation;
    readonly answer: (child: Child<Properties>, scene: KindScene, asked: AskedOfChild) => unknown;
  }[];
  /** After a change of this process became durable. */
  changed?(scene: Pick<KindScene, 'registry' | 'name'>): void;
}
