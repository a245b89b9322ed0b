/**
 * Every expected outcome that is not success: one row each.
 *
 * The domain throws a `RegistryError` naming a row; the edge renders it. Codes are those of the OCI distribution
 * specification ("Error Codes") and of Azure Container Registry; clients print `message`, so it must say what was
 * wrong, and `hint` what to do next.
 */
export const catalogue = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  BLOB_IN_USE: { status: 405, message: 'the blob is used by a manifest', code: 'UNSUPPORTED', hint: 'delete the manifest first' },
  CONTENT_LENGTH_INVALID: { status: 400, message: 'the Content-Length header does not fit the request' },
  CONFLICT: { status: 409, code: 'DENIED', message: 'the request conflicts with what is there' },
  CURSOR_UNKNOWN: {
    status: 410,
    code: 'UNSUPPORTED',
    message: 'the change log does not reach back to this cursor',
    hint: 'read a snapshot, then follow from its cursor',
  },
  DENIED: { status: 403, arm: 'AuthorizationFailed', message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content' },
  FEATURE_NOT_SUPPORTED: {
    status: 400,
    code: 'UNSUPPORTED',
    arm: 'FeatureNotSupported',
    message: 'the plan of the registry does not have this',
  },
  HOME_REGION_ONLY: {
    status: 409,
    code: 'DENIED',
    arm: 'ReplicaIsReadOnly',
    message: 'the settings of a registry are written in its home region',
  },
  INTERNAL: {
    status: 500,
    code: 'UNKNOWN',
    arm: 'InternalServerError',
    message: 'internal error',
    hint: 'quote the request id to the operator of this registry',
  },
  INVALID_PARAMETER: {
    status: 400,
    code: 'UNSUPPORTED',
    arm: 'InvalidParameter',
    message: 'a value of the request is not valid',
  },
  KEY_UNAVAILABLE: { status: 503, code: 'UNAVAILABLE', message: 'the key that seals this registry is not available' },
  CONTENT_DAMAGED: {
    status: 500,
    code: 'UNKNOWN',
    message: 'stored content is damaged',
    hint: 'push the content again, or restore it from a backup',
  },
  LEASE_LOST: {
    status: 409,
    code: 'DENIED',
    message: 'the run is not held by this agent any more',
    hint: 'stop the run and clean up: it has ended, or another agent has it',
  },
  MANIFEST_BLOB_UNKNOWN: { status: 404, message: 'manifest references a manifest or blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_TOO_LARGE: { status: 413, code: 'SIZE_INVALID', message: 'manifest is larger than 4 MiB' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown to registry' },
  METHOD_NOT_ALLOWED: { status: 405, code: 'UNSUPPORTED', message: 'the method is not supported here' },
  MISSING_API_VERSION: {
    status: 400,
    code: 'UNSUPPORTED',
    arm: 'MissingApiVersionParameter',
    message: 'the api-version query parameter (?api-version=) is required for all requests',
  },
  NAME_IN_USE: { status: 409, code: 'DENIED', arm: 'AlreadyInUse', message: 'the name is already in use' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  NOT_FOUND: { status: 404, code: 'NOT_FOUND', arm: 'NotFound', message: 'there is nothing at this address' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'invalid number of results requested' },
  QUOTA_EXCEEDED: {
    status: 403,
    code: 'DENIED',
    arm: 'QuotaExceeded',
    message: 'the plan of the registry allows no more of these',
  },
  RANGE_INVALID: { status: 416, message: 'the range does not fit the content' },
  REPLICA_TOO_OLD: {
    status: 409,
    code: 'DENIED',
    message: 'the replica was away for longer than deletions are remembered',
    hint: 'delete the replication and create it again: content that exists elsewhere stays there',
  },
  REGISTRY_DISALLOWED_OPERATION: { status: 405, message: 'the operation is disallowed by the attributes of what it is about' },
  REQUEST_INVALID: { status: 400, code: 'UNSUPPORTED', arm: 'InvalidRequestContent', message: 'the request is malformed' },
  REQUEST_TIMEOUT: { status: 408, code: 'UNKNOWN', message: 'the request took too long to arrive' },
  RESOURCE_GROUP_NOT_FOUND: {
    status: 404,
    code: 'NOT_FOUND',
    arm: 'ResourceGroupNotFound',
    message: 'the resource group could not be found',
  },
  RESOURCE_NOT_FOUND: { status: 404, code: 'NOT_FOUND', arm: 'ResourceNotFound', message: 'the resource was not found' },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  STORAGE_FULL: {
    status: 507,
    code: 'DENIED',
    message: 'the registry has no space left to store this',
    hint: 'free space on the server, then push again; what was pushed before is safe',
  },
  SUBSCRIPTION_NOT_FOUND: {
    status: 404,
    code: 'NOT_FOUND',
    arm: 'SubscriptionNotFound',
    message: 'the subscription could not be found',
  },
  TAG_UNKNOWN: { status: 404, message: 'tag unknown to registry' },
  TAG_INVALID: { status: 400, message: 'invalid tag name' },
  TASK_FILE_INVALID: { status: 400, code: 'UNSUPPORTED', arm: 'InvalidParameter', message: 'the task file cannot be run' },
  TOO_MANY_TAGS: { status: 414, code: 'TAG_INVALID', message: 'too many tags in one request' },
  TOOMANYREQUESTS: { status: 429, arm: 'TooManyRequests', message: 'too many requests' },
  UNAUTHORIZED: { status: 401, arm: 'InvalidAuthenticationToken', message: 'authentication required' },
  UNAVAILABLE: { status: 503, message: 'the registry is stopping or not ready' },
  UPSTREAM_FAILED: { status: 502, code: 'UNAVAILABLE', message: 'the other registry could not be used' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' },
} as const satisfies Record<string, CatalogueRow>;

interface CatalogueRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** What the client prints when the thrower gives no message of its own. */
  readonly message: string;
  /** The code on the wire where it differs from the row's name. */
  readonly code?: string;
  /** The code in the resource manager's envelope where it is not the row's name in Pascal case. */
  readonly arm?: string;
  /** What to do next; appended to the message. */
  readonly hint?: string;
}

export type ErrorName = keyof typeof catalogue;

/** Looks a row up with its optional columns visible to the type checker. */
export function catalogueRow(name: ErrorName): CatalogueRow {
  return catalogue[name];
}
