import type { Operation } from '@berth/api';
import type { AuditEventRow } from '../platform/database/index.ts';
import type { Registry, RequestDetails, RequestRecord } from '../tenancy/index.ts';

/** One line of the trail, before it has a number. */
export type AuditEvent = Omit<AuditEventRow, 'id'>;

const repositoryEvents = 'ContainerRegistryRepositoryEvents';
const loginEvents = 'ContainerRegistryLoginEvents';

/** ACR's names for what happens on the data plane (acr-api 6.16), by operation; the last three are ours. */
const events: Readonly<Record<string, string>> = {
  'get-manifest': 'Pull',
  'put-manifest': 'Push',
  'delete-manifest': 'Delete',
  'delete-repository': 'Delete',
  'acr-delete-tag': 'Untag',
  'acr-purge-manifest': 'PurgeManifest',
  'acr-update-repository': 'ChangeAttributes',
  'acr-update-tag': 'ChangeAttributes',
  'acr-update-manifest': 'ChangeAttributes',
  'acr-restore-manifest': 'Restore',
};
const logins: ReadonlySet<string> = new Set([
  'get-token',
  'post-token',
  'exchange-token',
  'sign-in-adfs',
  'sign-in-tenant-v1',
  'sign-in-tenant-v2',
]);

/** Longer than every legal name, tag, digest and sensible user agent. */
const maxText = 256;

/** Where and when it happened. */
export interface AuditPlace {
  readonly now: number;
  readonly region: string;
}

/** What of a request belongs into the trail; undefined for what only looks. */
export function eventOf(record: RequestRecord, details: RequestDetails, { now, region }: AuditPlace): AuditEvent | undefined {
  const { operation, principal, registry, params, notes } = details;
  const kind = operation && kindOf(operation);
  if (kind === undefined || registry === undefined) return undefined;
  const reference = params['reference'];
  const digest = notes.digest ?? params['digest'] ?? (reference?.includes(':') === true ? reference : undefined);
  const isUntag = kind.operation === 'Delete' && reference !== undefined && !reference.includes(':');
  return {
    registry_id: registry.id,
    time: now,
    category: kind.category,
    operation: isUntag ? 'Untag' : kind.operation,
    repository: textOf(params['name']),
    tag: reference === undefined || reference.includes(':') ? null : textOf(reference),
    digest: textOf(digest),
    media_type: textOf(notes.mediaType),
    artifact_type: textOf(notes.artifactType),
    size_bytes: notes.sizeBytes ?? null,
    ...placeOf(registry, region),
    identity: textOf(notes.identity ?? principal?.name) ?? 'unknown',
    identity_id: textOf(principal?.id) ?? 'unknown',
    user_agent: textOf(details.userAgent) ?? '',
    caller_address: record.clientAddress,
    correlation_id: record.requestId,
    duration_ms: Math.round(record.durationMs),
    result: record.status,
    result_description: details.error ?? '',
    count: 1,
  };
}

/** What somebody wrote, as it can be kept: a refused request may name anything, and PostgreSQL takes no NUL. */
function textOf(text: string | undefined): string | null {
  return text === undefined ? null : (text.length > maxText ? text.slice(0, maxText) : text).replaceAll('\0', '\uFFFD');
}

function kindOf(operation: Operation): { readonly category: string; readonly operation: string } | undefined {
  const { id, method, permission } = operation;
  const event = events[id];
  if (event !== undefined) return { category: repositoryEvents, operation: event };
  if (logins.has(id)) return { category: loginEvents, operation: 'Login' };
  const isAdministrative = permission.kind === 'resource' || permission.kind === 'operator' || permission.kind === 'deployment';
  if (!isAdministrative || method === 'GET' || method === 'HEAD') return undefined;
  return { category: 'Administrative', operation: permission.kind === 'resource' ? permission.action : id };
}

/** What the registry deletes by itself. */
export function purgeEvent(
  {
    registry,
    repository,
    name,
    isTag,
  }: { readonly registry: Registry; readonly repository: string; readonly name: string; readonly isTag: boolean },
  { now, region }: AuditPlace,
): AuditEvent {
  return {
    registry_id: registry.id,
    time: now,
    category: repositoryEvents,
    operation: isTag ? 'PurgeTag' : 'PurgeManifest',
    repository,
    tag: isTag ? name : null,
    digest: isTag ? null : name,
    media_type: null,
    artifact_type: null,
    size_bytes: null,
    ...placeOf(registry, region),
    identity: 'berth',
    identity_id: 'system',
    user_agent: '',
    caller_address: '',
    correlation_id: '',
    duration_ms: 0,
    result: 202,
    result_description: '',
    count: 1,
  };
}

function placeOf({ loginServer }: Registry, region: string): { readonly login_server: string; readonly region: string } {
  return { login_server: loginServer, region };
}

/** As the API and the JSON lines show it: the columns that ACR's logs have. */
export function documentOf(event: AuditEvent): Readonly<Record<string, unknown>> {
  return {
    time: new Date(event.time).toISOString(),
    category: event.category,
    operationName: event.operation,
    repository: event.repository,
    tag: event.tag,
    digest: event.digest,
    mediaType: event.media_type,
    artifactType: event.artifact_type,
    size: event.size_bytes,
    loginServer: event.login_server,
    region: event.region,
    identity: event.identity,
    identityId: event.identity_id,
    userAgent: event.user_agent,
    callerIpAddress: event.caller_address,
    correlationId: event.correlation_id,
    durationMs: event.duration_ms,
    resultType: event.result,
    resultDescription: event.result_description,
    count: event.count,
  };
}
