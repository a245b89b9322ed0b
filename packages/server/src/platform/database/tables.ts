import type { Generated } from 'kysely';
import type {
  ChangeCursorRow,
  ChangeRow,
  HomeDirectoryRow,
  HomeKeyRow,
  PendingBlobRow,
  PendingManifestRow,
  RegionCopyRow,
  RegionFeedRow,
  RegisterRow,
  RemovedReplicaRow,
  WebhookEventRow,
} from './replication-tables.ts';
import type {
  AuditEventRow,
  DeploymentRow,
  FederatedCredentialRow,
  IdentityRow,
  IdentitySecretRow,
  ResourceGroupRow,
  ResourceRow,
  RoleAssignmentRow,
  StoredBytesRow,
  StoredDeltaRow,
  TokenPasswordRow,
  UsageHourRow,
} from './service-tables.ts';
import type {
  AgentRow,
  HookDeliveryRow,
  MachineKeyRow,
  MovedTagRow,
  RunCounterRow,
  RunImageRow,
  RunLogChunkRow,
  RunObjectRow,
  RunRow,
  SecretRow,
  TaskBaseImageRow,
  TaskBaseRunRow,
  TaskSourceRow,
  TaskTimerRow,
  TriggerDecisionRow,
} from './task-tables.ts';

export type * from './replication-tables.ts';
export type * from './service-tables.ts';
export type * from './task-tables.ts';

/**
 * Every table, once, for both engines. Times are milliseconds since the Unix epoch; sizes are bytes; digests are
 * `algorithm:hex`; `sealed_*` and `wrapped_*` columns hold ciphertext. Booleans are 0 or 1.
 */
export interface Tables {
  registries: RegistryRow;
  data_keys: DataKeyRow;
  signing_keys: SigningKeyRow;
  admin_users: AdminUserRow;
  admin_passwords: AdminPasswordRow;
  repositories: RepositoryRow;
  blobs: BlobRow;
  parts: PartRow;
  repository_blobs: RepositoryBlobRow;
  uploads: UploadRow;
  manifests: ManifestRow;
  manifest_blobs: ManifestBlobRow;
  manifest_children: ManifestChildRow;
  tags: TagRow;
  garbage: GarbageRow;
  damage: DamageRow;
  deployment: DeploymentRow;
  resource_groups: ResourceGroupRow;
  resources: ResourceRow;
  token_passwords: TokenPasswordRow;
  identities: IdentityRow;
  identity_secrets: IdentitySecretRow;
  federated_credentials: FederatedCredentialRow;
  role_assignments: RoleAssignmentRow;
  audit_events: AuditEventRow;
  deleted_manifests: DeletedManifestRow;
  deleted_manifest_blobs: DeletedManifestBlobRow;
  deleted_manifest_children: DeletedManifestChildRow;
  deleted_tags: DeletedTagRow;
  stored_bytes: StoredBytesRow;
  stored_deltas: StoredDeltaRow;
  usage_hours: UsageHourRow;
  cleanup_rules: CleanupRuleRow;
  purge_schedules: PurgeScheduleRow;
  trusted_issuers: TrustedIssuerRow;
  machine_keys: MachineKeyRow;
  run_counters: RunCounterRow;
  runs: RunRow;
  run_images: RunImageRow;
  run_log_chunks: RunLogChunkRow;
  run_objects: RunObjectRow;
  agents: AgentRow;
  secrets: SecretRow;
  moved_tags: MovedTagRow;
  task_timers: TaskTimerRow;
  task_base_images: TaskBaseImageRow;
  task_base_runs: TaskBaseRunRow;
  task_sources: TaskSourceRow;
  hook_deliveries: HookDeliveryRow;
  trigger_decisions: TriggerDecisionRow;
  changes: ChangeRow;
  change_cursors: ChangeCursorRow;
  registers: RegisterRow;
  region_feeds: RegionFeedRow;
  pending_manifests: PendingManifestRow;
  pending_blobs: PendingBlobRow;
  region_copies: RegionCopyRow;
  removed_replicas: RemovedReplicaRow;
  home_directory: HomeDirectoryRow;
  home_keys: HomeKeyRow;
  webhook_events: WebhookEventRow;
}

export interface RegistryRow {
  id: Generated<number>;
  /** In lower case. Of a deleted registry: with its id behind it, so that the name is free again. */
  name: string;
  anonymous_pull: number;
  created_at: number;
  resource_group: Generated<string>;
  location: Generated<string>;
  plan: Generated<'Basic' | 'Standard' | 'Premium'>;
  /** Resource tags, as JSON. */
  tags: Generated<string>;
  /** What a client may write of ACR's `properties`, as JSON; without `anonymousPullEnabled` and `adminUserEnabled`. */
  properties: Generated<string>;
  created_by: Generated<string>;
  updated_at: Generated<number>;
  updated_by: Generated<string>;
  /** Grows with every change: a writer that read an older one must read again. */
  version: Generated<number>;
  deleted_at: number | null;
  /** Where its settings are written; null: here. */
  home_region: Generated<string | null>;
  /** 1: other regions hold it, too. Then each write notes what it did in `registers`. */
  is_replicated: Generated<number>;
  /** When everything that was there before had its registers (ms). */
  registers_ready_at: Generated<number | null>;
  /** Of the settings of the home region that were taken over last. */
  settings_version: Generated<string | null>;
}

/** A manifest that can be restored, as it was. Not bound to a row of `repositories`: that may have gone, too. */
export interface DeletedManifestRow
  extends Pick<
    ManifestRow,
    | 'digest'
    | 'media_type'
    | 'artifact_type'
    | 'subject_digest'
    | 'size_bytes'
    | 'data_key_id'
    | 'sealed_content'
    | 'sealed_annotations'
    | 'pushed_at'
    | 'quarantine_state'
    | 'quarantine_details'
  > {
  id: Generated<number>;
  registry_id: number;
  /** Its name. */
  repository: string;
  delete_enabled: number;
  write_enabled: number;
  list_enabled: number;
  read_enabled: number;
  deleted_at: number;
}

/** Keeps a blob from collection. */
export interface DeletedManifestBlobRow {
  deleted_id: number;
  blob_id: number;
}

export interface DeletedManifestChildRow {
  deleted_id: number;
  child_digest: string;
}

/** What a deleted tag named. */
export interface DeletedTagRow {
  id: Generated<number>;
  registry_id: number;
  repository: string;
  name: string;
  digest: string;
  deleted_at: number;
}

/** An issuer whose tokens are read at all. */
export interface TrustedIssuerRow {
  /** As tokens spell it, letter for letter. */
  issuer: string;
  /** JSON: its key set, where it cannot be asked for it. */
  jwks: string | null;
  created_at: number;
}

export interface DataKeyRow {
  id: string;
  registry_id: number;
  /** Which wrapping key wrapped it. */
  wrapping_key_id: string;
  wrapped_key: Uint8Array;
  /** 1 for the key that seals new content: exactly one per registry. */
  is_current: number;
  created_at: number;
}

/** Keys that sign access and refresh tokens (ES256). */
export interface SigningKeyRow {
  id: string;
  wrapping_key_id: string;
  wrapped_private_key: Uint8Array;
  /** JWK as JSON. */
  public_key: string;
  is_current: number;
  created_at: number;
}

export interface AdminUserRow {
  registry_id: number;
  username: string;
  is_enabled: number;
  /** Grows when the user is disabled or enabled; tokens carry it and die when it moves on. */
  generation: number;
}

export interface AdminPasswordRow {
  registry_id: number;
  slot: 'password' | 'password2';
  /** `keyed-sha256` for generated secrets, `argon2id` for passwords that a person chose. */
  scheme: 'keyed-sha256' | 'argon2id';
  verifier: string;
  /** Grows with every change; tokens carry it and die with their password. */
  created_at: number;
  /** The password itself, for whoever may see it; associated data `admin-password:<registry id>:<slot>`. Null for those of before. */
  sealed_value: Uint8Array | null;
  data_key_id: string | null;
}

/** Locks of a repository, manifest or tag, each for itself: 0 forbids. */
export interface AttributeColumns {
  delete_enabled: Generated<number>;
  write_enabled: Generated<number>;
  list_enabled: Generated<number>;
  read_enabled: Generated<number>;
}

export interface RepositoryRow extends AttributeColumns {
  id: Generated<number>;
  registry_id: number;
  name: string;
  created_at: number;
  /** Set while the repository holds a manifest: then the catalog lists it. Uploads alone do not list it. */
  listed_at: number | null;
  /** Set when the repository was deleted: its name is free at once, its rows go in batches later. */
  deleted_at: number | null;
  /** The last push, delete or change of attributes. */
  updated_at: Generated<number>;
  /** Exact: they change in the transaction that adds or removes. */
  manifest_count: Generated<number>;
  tag_count: Generated<number>;
}

/** Content known to a registry, addressed by one digest. Readable only through `repository_blobs`. */
export interface BlobRow {
  id: Generated<number>;
  registry_id: number;
  digest: string;
  size_bytes: number;
  created_at: number;
}

/**
 * One sealed object. Exactly one of `upload_id` and `blob_id` is set, or neither when it is garbage (then a `garbage`
 * row names it).
 */
export interface PartRow {
  name: string;
  registry_id: number;
  data_key_id: string;
  upload_id: string | null;
  blob_id: number | null;
  /** Order within its upload or blob, from 0, without gaps. */
  position: number;
  /** Plaintext bytes; null while the part is reserved and not yet durable. */
  size_bytes: number | null;
  created_at: number;
}

/** Access to content is this row, never "the object exists". */
export interface RepositoryBlobRow {
  repository_id: number;
  blob_id: number;
  linked_at: number;
}

export interface UploadRow {
  id: string;
  repository_id: number;
  /** Who began it; nobody else may address it. */
  principal: string;
  algorithm: string;
  /** Bytes in durable parts. */
  received_bytes: number;
  /** Grows with every change: a writer that lost a race finds its version gone. */
  version: number;
  created_at: number;
  updated_at: number;
}

export interface ManifestRow extends AttributeColumns {
  id: Generated<number>;
  repository_id: number;
  digest: string;
  media_type: string;
  artifact_type: string | null;
  subject_digest: string | null;
  /** Of the plaintext. */
  size_bytes: number;
  data_key_id: string;
  /** The exact bytes, sealed; associated data `manifest:<registry id>:<digest>`. */
  sealed_content: Uint8Array;
  /** For manifests with a subject: annotations as JSON, sealed; associated data `annotations:<registry id>:<digest>`. */
  sealed_annotations: Uint8Array | null;
  pushed_at: number;
  /** The last push or change of attributes. */
  updated_at: Generated<number>;
  /** When its last tag went; null while it has one, and when it never had one. Pushed again without a tag, the time starts anew. */
  untagged_at: number | null;
  /** The last GET; null: never, or before it was noted. */
  last_pulled_at: Generated<number | null>;
  pull_count: Generated<number>;
  /** What was decided about it; null: nothing yet, which blocks it where the registry quarantines. */
  quarantine_state: Generated<'Passed' | 'Failed' | null>;
  /** JSON of whoever decided. */
  quarantine_details: Generated<string | null>;
}

/** Which blobs of its repository a manifest needs. The foreign key to `repository_blobs` keeps collection away. */
export interface ManifestBlobRow {
  manifest_id: number;
  repository_id: number;
  blob_id: number;
}

export interface ManifestChildRow {
  manifest_id: number;
  repository_id: number;
  child_digest: string;
}

export interface TagRow extends AttributeColumns {
  repository_id: number;
  name: string;
  manifest_id: number;
  pushed_at: number;
  created_at: Generated<number>;
  /** The last push or change of attributes. */
  updated_at: Generated<number>;
  last_pulled_at: Generated<number | null>;
}

/**
 * Candidates for collection. A row says "look here again after `due_at`", never "this is garbage": the collector checks
 * inside a transaction that conflicts with pushes and mounts.
 */
export interface GarbageRow {
  id: Generated<number>;
  kind: 'repository' | 'repository-blob' | 'blob' | 'part';
  /** repository: id; repository-blob: `<repository id>:<blob id>`; blob: id; part: name. Unique with `kind`. */
  subject: string;
  due_at: number;
  attempts: number;
}

/** By which a registry untags and deletes what is old. */
export interface CleanupRuleRow {
  registry_id: number;
  name: string;
  /** As it was written, as JSON. */
  definition: string;
  is_enabled: number;
  updated_at: number;
}

/** A purge that runs by the clock. */
export interface PurgeScheduleRow {
  registry_id: number;
  name: string;
  /** Five fields, UTC. */
  schedule: string;
  /** What is asked of the purge, as JSON. */
  request: string;
  /** Null: never again. */
  next_at: number | null;
  /** A process works on it until then, and prolongs it; null: none does. */
  held_until: number | null;
  last_at: number | null;
  /** Totals of the last run as JSON, or why it failed. */
  last_result: string | null;
  updated_at: number;
}

/** What scrub found. A row goes when the part is gone or opens again. */
export interface DamageRow {
  part_name: string;
  registry_id: number;
  blob_digest: string | null;
  reason: string;
  found_at: number;
}
