/**
 * What regions tell one another about the content of a registry. State, not events: each fact is what one name has come to, and
 * facts join in any order, any number of times, to the same state.
 */

/** When and where something was done. Ordered by clock, then by origin. */
export interface Stamp {
  /** A hybrid logical clock: milliseconds since the epoch times 1024, and a counter. */
  readonly clock: number;
  /** The region. */
  readonly origin: string;
}

export type FactKind = 'repository' | 'manifest' | 'tag';

/** What clients may do with a name, one register each; and what was decided about a manifest in quarantine. */
export type FactAttribute =
  | 'delete_enabled'
  | 'write_enabled'
  | 'list_enabled'
  | 'read_enabled'
  | 'quarantine_state'
  | 'quarantine_details';

export interface AttributeValue extends Stamp {
  readonly value: number | string | null;
}

/** The bytes of a manifest that the telling region has. */
export interface ManifestContent {
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** What it is, where it is more than an image: webhooks tell charts by it. */
  readonly artifactType?: string;
  /** Base64; absent when they are too many to be sent along: ask for the manifest. */
  readonly bytes?: string;
}

/** Who asked for a push or a deletion: webhooks of every region tell it. */
export interface FactRequest {
  readonly id: string;
  readonly host: string;
  readonly method: string;
  readonly useragent: string;
  readonly actor?: string;
  readonly address?: string;
}

/** What is known of one name. */
export interface Fact {
  readonly kind: FactKind;
  readonly repository: string;
  /** The digest of a manifest, the name of a tag; empty for a repository. */
  readonly name: string;
  /** The last time that it was pushed. */
  readonly set?: Stamp & {
    /** Of a tag: what it named then. */
    readonly digest?: string;
  };
  /** The last time that it was deleted. Later than `set`: it is not there. */
  readonly deleted?: Stamp;
  readonly attributes?: Readonly<Partial<Record<FactAttribute, AttributeValue>>>;
  readonly content?: ManifestContent;
  readonly request?: FactRequest;
  /** Of a manifest that was deleted: the tags that went with it. */
  readonly tags?: readonly string[];
  /** The last pull in any region (ms). */
  readonly pulledAt?: number;
}

/** A fact in the order in which a region came to know it. */
export interface Change {
  readonly sequence: number;
  readonly action: ChangeAction;
  /** False: nothing that clients see came of it. */
  readonly isVisible: boolean;
  readonly fact: Fact;
}

/**
 * `push`: a manifest without a tag. `tag`: a tag was set by a push or a restore. `renew`: a manifest that an index names was
 * kept alive. `untag`: a tag was taken off. `delete`: a manifest. `delete-repository`, `attributes`, `pull`: as they say.
 */
export type ChangeAction = 'push' | 'tag' | 'renew' | 'untag' | 'delete' | 'delete-repository' | 'attributes' | 'pull';

/** How far a region is with what another has. */
export interface FeedStatus {
  /** The other region. */
  readonly region: string;
  readonly state: 'waiting' | 'snapshot' | 'following' | 'unreachable' | 'refused' | 'stale';
  /** When it last answered. */
  readonly answeredAt: string | null;
  /** Seconds since everything that it had told was here, complete; 0: all is. */
  readonly lagSeconds: number | null;
  /** Changes that were not yet read. */
  readonly behind: number | null;
  readonly clockSkewSeconds: number | null;
  readonly problem: string | null;
  readonly remedy: string | null;
}

/** How far one region is with a registry. */
export interface ReplicaStatus {
  readonly region: string;
  readonly isHome: boolean;
  readonly isEndpointEnabled: boolean;
  /** The address that clients use there. */
  readonly endpoint: string;
  /** `unreachable`: as seen from the region that was asked. */
  readonly state: 'ready' | 'syncing' | 'unreachable' | 'failed';
  readonly manifests: { readonly complete: number; readonly pending: number };
  readonly bytes: { readonly copied: number; readonly pending: number; readonly perSecond: number };
  readonly conflictsResolved: number;
  readonly damagedAnswers: number;
  readonly feeds: readonly FeedStatus[];
  readonly problem: string | null;
  readonly remedy: string | null;
}
