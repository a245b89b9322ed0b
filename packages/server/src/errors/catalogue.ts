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
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content' },
  INTERNAL: {
    status: 500,
    code: 'UNKNOWN',
    message: 'internal error',
    hint: 'quote the request id to the operator of this registry',
  },
  KEY_UNAVAILABLE: { status: 503, code: 'UNAVAILABLE', message: 'the key that seals this registry is not available' },
  CONTENT_DAMAGED: {
    status: 500,
    code: 'UNKNOWN',
    message: 'stored content is damaged',
    hint: 'push the content again, or restore it from a backup',
  },
  MANIFEST_BLOB_UNKNOWN: { status: 404, message: 'manifest references a manifest or blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_TOO_LARGE: { status: 413, code: 'SIZE_INVALID', message: 'manifest is larger than 4 MiB' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown to registry' },
  METHOD_NOT_ALLOWED: { status: 405, code: 'UNSUPPORTED', message: 'the method is not supported here' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  NOT_FOUND: { status: 404, code: 'NOT_FOUND', message: 'there is nothing at this address' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'invalid number of results requested' },
  RANGE_INVALID: { status: 416, message: 'the range does not fit the content' },
  REGISTRY_DISALLOWED_OPERATION: { status: 405, message: 'the operation is disallowed by the attributes of what it is about' },
  REQUEST_INVALID: { status: 400, code: 'UNSUPPORTED', message: 'the request is malformed' },
  REQUEST_TIMEOUT: { status: 408, code: 'UNKNOWN', message: 'the request took too long to arrive' },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  STORAGE_FULL: {
    status: 507,
    code: 'DENIED',
    message: 'the registry has no space left to store this',
    hint: 'free space on the server, then push again; what was pushed before is safe',
  },
  TAG_UNKNOWN: { status: 404, message: 'tag unknown to registry' },
  TAG_INVALID: { status: 400, message: 'invalid tag name' },
  TOO_MANY_TAGS: { status: 414, code: 'TAG_INVALID', message: 'too many tags in one request' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  UNAUTHORIZED: { status: 401, message: 'authentication required' },
  UNAVAILABLE: { status: 503, message: 'the registry is stopping or not ready' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' },
} as const satisfies Record<string, CatalogueRow>;

interface CatalogueRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** What the client prints when the thrower gives no message of its own. */
  readonly message: string;
  /** The code on the wire where it differs from the row's name. */
  readonly code?: string;
  /** What to do next; appended to the message. */
  readonly hint?: string;
}

export type ErrorName = keyof typeof catalogue;

/** Looks a row up with its optional columns visible to the type checker. */
export function catalogueRow(name: ErrorName): CatalogueRow {
  return catalogue[name];
}
