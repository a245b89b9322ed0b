import type { ChangeAction } from '@berth/api';
import type { Generated } from 'kysely';

/**
 * Rows of the change log, of what regions know of each other's content, and of webhooks. Units are those of `tables.ts`; a
 * clock is a hybrid logical one: milliseconds times 1024, and a counter.
 */

/** One entry of a registry's change log. Consumers keep cursors; old entries go. */
export interface ChangeRow {
  sequence: Generated<number>;
  registry_id: number;
  clock: number;
  /** The region where it was done. */
  origin: string;
  action: ChangeAction;
  repository: string;
  /** `Fact` as JSON, without content. */
  fact: string;
  /** 0: nothing that clients see came of it. */
  is_visible: number;
  created_at: number;
}

/**
 * What one name of a replicated registry has come to: the joined state of all regions. The live tables are what it looks like
 * here. Rows of deleted names stay, so that nothing comes back from the dead.
 */
export interface RegisterRow {
  registry_id: number;
  repository: string;
  kind: 'repository' | 'manifest' | 'tag';
  /** Digest, tag; empty for the repository itself. */
  name: string;
  /** 0: never set. */
  set_clock: number;
  set_origin: string;
  /** Of tags: what was set. */
  digest: string | null;
  /** 0: never deleted. */
  deleted_clock: number;
  deleted_origin: string;
  /** JSON: `Fact['attributes']`. */
  attributes: string;
}

/** How far this region is with what another one has of a registry. */
export interface RegionFeedRow {
  registry_id: number;
  /** The other region. */
  region: string;
  /** Of its change log; empty: a snapshot is needed. */
  cursor: string;
  /** While a snapshot is read: where it goes on, and from where changes are followed after it. */
  snapshot_after: string | null;
  snapshot_cursor: string | null;
  state: string;
  answered_at: number | null;
  /** Up to which time (of the other region) everything that it told is here. */
  complete_until: number | null;
  behind: number | null;
  skew_ms: number | null;
  problem: string | null;
  remedy: string | null;
  conflicts: Generated<number>;
  /** Answers whose bytes were not what their digest says. */
  damaged_answers: Generated<number>;
  copied_bytes: Generated<number>;
  /** Since when this region follows the other. */
  created_at: number;
  /** The process that follows, and until when no other may; it prolongs it. */
  held_by: string | null;
  held_until: number | null;
}

/** A manifest that is known and not complete here: something that it refers to is missing. */
export interface PendingManifestRow {
  id: Generated<number>;
  registry_id: number;
  repository: string;
  digest: string;
  media_type: string;
  size_bytes: number;
  data_key_id: string;
  /** As in `manifests`; null: the bytes have to be asked for. */
  sealed_content: Uint8Array | null;
  /** The region that told of it. */
  source: string;
  /** `FactRequest` as JSON. */
  request: string | null;
  /** 0: it was there before this region began to hold the registry, so that webhooks are not told. */
  is_news: number;
  /** Of its clock at the source (ms): for the lag. */
  told_at: number;
  attempts: Generated<number>;
  next_at: number;
  claimed_until: number | null;
  problem: string | null;
}

/** What a pending manifest needs and this region may have to copy. */
export interface PendingBlobRow {
  pending_id: number;
  registry_id: number;
  repository: string;
  digest: string;
  size_bytes: number;
  /** 1: a manifest rather than a blob. */
  is_manifest: number;
  /** 1: regions need not have it; taken off when none does. */
  is_optional: number;
}

/** A blob on its way: its upload goes on after a crash. */
export interface RegionCopyRow {
  registry_id: number;
  repository: string;
  digest: string;
  upload_id: string;
}

/** How far a consumer of the change log is. */
export interface ChangeCursorRow {
  consumer: string;
  registry_id: number;
  sequence: number;
}

/** A region that was to hold a registry of this home, and is no longer. */
export interface RemovedReplicaRow {
  /** The registry's name. */
  registry: string;
  /** In lower case, without spaces. */
  region: string;
  removed_at: number;
}

/** What came into the directory with the settings of a replica, and goes when no replica's settings name it any more. */
export interface HomeDirectoryRow {
  registry_id: number;
  kind: 'identity' | 'issuer';
  /** An object id, an issuer. */
  subject: string;
}

/** What a replica needs of its home region to check passwords and tokens that were made there; sealed with the registry's data key. */
export interface HomeKeyRow {
  registry_id: number;
  data_key_id: string;
  sealed: Uint8Array;
}

/** One event for one webhook: sent, to be sent, or given up. */
export interface WebhookEventRow {
  id: Generated<number>;
  registry_id: number;
  /** The key in its properties: one of the same name that was deleted is another. */
  webhook: string;
  /** What receivers know it by (a GUID). */
  event_id: string;
  action: string;
  repository: string;
  tag: string | null;
  digest: string | null;
  /** The body's content as JSON, in ACR's form; other shapes are made of it. */
  payload: string;
  created_at: number;
  /** When it was made, or last asked for again: from then on it is tried for so long. */
  wanted_at: number;
  status: 'waiting' | 'delivered' | 'failed';
  attempts: Generated<number>;
  /** When to try next; null while an earlier one of the repository waits, and once it is over. */
  next_at: number | null;
  claimed_until: number | null;
  finished_at: number | null;
  /** JSON of the last request and response, without secrets. */
  last_exchange: string | null;
}
