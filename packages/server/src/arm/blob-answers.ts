import type { ErrorName } from '../errors/index.ts';
import { asRegistryError } from '../errors/index.ts';
import type { Reply, RouteRequest } from '../http/route.ts';

/** What Azure Storage calls it, and with which status. */
type BlobError =
  | 'AuthenticationFailed'
  | 'BlobNotFound'
  | 'InvalidBlockId'
  | 'InvalidBlockList'
  | 'InvalidHeaderValue'
  | 'InvalidQueryParameterValue'
  | 'InvalidRange'
  | 'InvalidXmlDocument'
  | 'MissingContentLengthHeader'
  | 'RequestBodyTooLarge'
  | 'UnauthorizedBlobOverwrite';

const statuses: Readonly<Record<BlobError, number>> = {
  AuthenticationFailed: 403,
  BlobNotFound: 404,
  InvalidBlockId: 400,
  InvalidBlockList: 400,
  InvalidHeaderValue: 400,
  InvalidQueryParameterValue: 400,
  InvalidRange: 416,
  InvalidXmlDocument: 400,
  MissingContentLengthHeader: 411,
  RequestBodyTooLarge: 413,
  UnauthorizedBlobOverwrite: 403,
};

/** A refusal in the words of Azure Storage, whose clients look for its code. */
export class BlobRefusal extends Error {
  override readonly name = 'BlobRefusal';
  readonly code: BlobError;

  constructor(code: BlobError, message: string) {
    super(message);
    this.code = code;
  }
}

/** Of the protocol: what clients of today's tasks ask for. */
const protocolVersion = '2021-06-08';

/** Headers that every answer of Azure Storage has. */
export function blobHeaders({ id, headers }: Pick<RouteRequest, 'id' | 'headers'>): Readonly<Record<string, string>> {
  const asked = headers['x-ms-version'] ?? '';
  const ours = headers['x-ms-client-request-id'] ?? '';
  return {
    'x-ms-request-id': id,
    'x-ms-version': /^\d{4}-\d{2}-\d{2}$/.test(asked) ? asked : protocolVersion,
    ...(/^[\w.-]{1,128}$/.test(ours) && { 'x-ms-client-request-id': ours }),
    'Cache-Control': 'no-store',
  };
}

/** Answers what was thrown as Azure Storage does. What nobody expected is thrown again. */
export async function answeringAsStorage(request: RouteRequest, answer: () => Promise<Reply>): Promise<Reply> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof BlobRefusal) return refusal(request, statuses[error.code], error.code, error.message);
    const known = asRegistryError(error);
    const code = codes[known.error];
    if (code === undefined) throw error;
    return refusal(request, known.status, code, known.message);
  }
}

/** Errors of the features below that a client of Azure Storage can do something about. */
const codes: Partial<Readonly<Record<ErrorName, string>>> = {
  REQUEST_INVALID: 'InvalidInput',
  SIZE_INVALID: 'RequestBodyTooLarge',
  BLOB_UPLOAD_INVALID: 'InvalidBlockList',
  STORAGE_FULL: 'AccountLimitExceeded',
  TOOMANYREQUESTS: 'ServerBusy',
};

function refusal(request: RouteRequest, status: number, code: string, message: string): Reply {
  const text = `${message}\nRequestId:${request.id}`;
  return {
    status,
    headers: { ...blobHeaders(request), 'x-ms-error-code': code, 'Content-Type': 'application/xml' },
    body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${escaped(text)}</Message></Error>`,
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
