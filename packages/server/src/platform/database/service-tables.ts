import type { Generated } from 'kysely';

/** Rows of what runs a registry: resources, the directory, usage, the audit trail. Units are those of `tables.ts`. */

/** Whom the deployment is to clients of the resource manager: one row, id 1. */
export interface DeploymentRow {
  id: number;
  tenant_id: string;
  subscription_id: string;
  /** The identity that owns everything, whose secret stands in the first-run file. */
  owner_identity_id: string | null;
  created_at: number;
  /** The setting `region`, as of the last start. */
  region: Generated<string>;
}

export interface ResourceGroupRow {
  /** The name in lower case. */
  name_key: string;
  name: string;
  location: string;
  tags: string;
  created_at: number;
}

/** A child resource of a registry: webhook, replication, token, scope map, and what later features declare. */
export interface ResourceRow {
  id: Generated<number>;
  registry_id: number;
  /** The name of its collection: `scopeMaps`. */
  kind: string;
  /** The name in lower case. */
  name_key: string;
  name: string;
  /** Null for kinds that have none. */
  location: string | null;
  /** Resource tags, as JSON. */
  tags: string;
  /** As JSON. Secrets stand elsewhere. */
  properties: string;
  created_at: number;
  created_by: string;
  updated_at: number;
  updated_by: string;
  version: number;
}

export interface TokenPasswordRow {
  resource_id: number;
  slot: 'password1' | 'password2';
  /** Keyed SHA-256. */
  verifier: string;
  /** Grows with every change, so that slot and time name one password for ever. */
  created_at: number;
  expires_at: number | null;
}

/** A service principal of the built-in directory. */
export interface IdentityRow {
  /** Its object id. */
  id: string;
  client_id: string;
  name: string;
  is_enabled: number;
  created_at: number;
}

export interface IdentitySecretRow {
  id: string;
  identity_id: string;
  /** Keyed SHA-256. */
  verifier: string;
  created_at: number;
  expires_at: number | null;
}

/** Tokens of a trusted issuer that sign in as an identity. */
export interface FederatedCredentialRow {
  id: string;
  identity_id: string;
  name: string;
  issuer: string;
  /** JSON list. */
  audiences: string;
  /** JSON: by claim, the pattern that its value must match as a whole. */
  claims: string;
  created_at: number;
}

export interface RoleAssignmentRow {
  id: string;
  /** A resource id in lower case, of the subscription, a group, a registry or `…/repositories/<name>`. */
  scope: string;
  /** GUID of the role definition. */
  role_id: string;
  identity_id: string;
  condition: string | null;
  created_at: number;
}

/** Who did what (acr-api 6.16). */
export interface AuditEventRow {
  id: Generated<number>;
  registry_id: number;
  time: number;
  category: string;
  operation: string;
  repository: string | null;
  tag: string | null;
  digest: string | null;
  media_type: string | null;
  artifact_type: string | null;
  size_bytes: number | null;
  login_server: string;
  region: string;
  identity: string;
  identity_id: string;
  user_agent: string;
  caller_address: string;
  correlation_id: string;
  duration_ms: number;
  result: number;
  result_description: string;
  /** More than 1: pulls that differ in nothing but their request, within the second before `time`. */
  count: number;
}

/** What a registry served in an hour. */
export interface UsageHourRow {
  registry_id: number;
  /** Hours since the Unix epoch. */
  hour: number;
  pulls: number;
  pushes: number;
}

/** Bytes of a registry's blobs, as they were last added up. */
export interface StoredBytesRow {
  registry_id: number;
  bytes: number;
  blobs: number;
}

/** Came and went since. */
export interface StoredDeltaRow {
  id: Generated<number>;
  registry_id: number;
  bytes: number;
  blobs: number;
}
