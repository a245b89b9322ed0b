import { type ErrorName, asRegistryError } from '../errors/index.ts';
import type { Operation } from '@berth/api';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import { BlobRefusal, statusOf } from './blob-refusal.ts';

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

/** An operation that answers refusals as Azure Storage does. */
export function storageOperation(operation: Operation, answer: (request: RouteRequest) => Promise<Reply>): Route {
  return { operation, handle: (request) => answeringAsStorage(request, () => answer(request)) };
}

/** What nobody expected is thrown again. */
async function answeringAsStorage(request: RouteRequest, answer: () => Promise<Reply>): Promise<Reply> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof BlobRefusal) return refusal(request, statusOf(error), error.code, error.message);
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
