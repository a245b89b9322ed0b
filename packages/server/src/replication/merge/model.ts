import type { Change, Fact, FactRequest } from '@berth/api';
import type { Digest } from '@berth/oci';

/** What a region told of one name. Of a snapshot, or an answer to a question, only the fact is known: see `toldOf`. */
export type Told = Pick<Change, 'action' | 'isVisible' | 'fact'>;

/** What a region told about one registry. */
export interface PageToMerge {
  readonly registryId: number;
  /** The region that told it. */
  readonly source: string;
  readonly told: readonly Told[];
  /** Its clock when it told it (ms). */
  readonly toldAt: number;
  /** Of a snapshot: what is older than this replica is no news to webhooks. */
  readonly isSnapshot?: boolean;
}

export interface MergedPage {
  /** Facts that told something new. */
  readonly advanced: number;
  /** Manifests that wait for content now, which did not before. */
  readonly pending: number;
  /** Of two regions' words about one tag, one gave way. */
  readonly conflicts: number;
  /** Facts that are not what their form promises, and were not merged; and those whose bytes are not what their digest promises, which are to be asked for elsewhere. */
  readonly damaged: readonly Fact[];
}

/** A manifest whose turn has come; nobody else gets it before `claimedUntil`. */
export interface ClaimedManifest {
  readonly id: number;
  readonly registryId: number;
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** The region that told of it: it should have the content. */
  readonly source: string;
  /** False: its bytes have to be asked for (`Peer.resolve`) and merged, before it is known what is missing. */
  readonly hasBytes: boolean;
  /** How often it was tried in vain. */
  readonly attempts: number;
}

/** Something that a pending manifest needs and its repository does not have. */
export interface MissingContent {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** A manifest rather than a blob: nothing to copy; it is pending itself, or will be told. */
  readonly isManifest: boolean;
  /** Regions need not have it (foreign layers). */
  readonly isOptional: boolean;
}

/** `gone`: nobody waits for it any more. `incomplete`: something is missing yet. */
export type Completion = 'complete' | 'incomplete' | 'gone';

/** A pending manifest as it can be served before it is complete. */
export interface PendingManifest {
  readonly id: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly source: string;
  /** Undefined: not yet here. */
  readonly bytes: Buffer | undefined;
  readonly request: FactRequest | undefined;
}
