import { distribution } from '@berth/api';
import { type Digest, digestAlgorithm, parseDigest, parseDigestAlgorithm } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { type ByteRange, parseContentRange, parseRange } from '../http/ranges.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { BlobElsewhere, BlobsContext, UploadRequester } from './blobs-context.ts';
import { cancelUpload } from './cancel-upload.ts';
import { blobUnknown, openDownload, requireBlob } from './download.ts';
import { finishUpload } from './finish-upload.ts';
import { findKnownBlob } from './known-blob.ts';
import { unlinkBlob } from './link-blob.ts';
import { type UploadState, blobLocation, minChunkBytes, rangeOf, uploadLocation } from './model.ts';
import { mount } from './mount.ts';
import { openUpload, outOfOrder, requireUpload } from './open-upload.ts';
import type { LinkedBlob } from './queries.ts';
import { sendChunk } from './send-chunk.ts';
import { uploadWhole } from './upload-whole.ts';

export function blobRoutes(context: BlobsContext): readonly Route[] {
  return [
    { operation: distribution.getBlob, handle: (request) => getBlob(context, request) },
    { operation: distribution.headBlob, handle: (request) => headBlob(context, request) },
    { operation: distribution.deleteBlob, handle: (request) => deleteBlob(context, request) },
    { operation: distribution.startUpload, handle: (request) => beginUpload(context, request) },
    { operation: distribution.sendChunk, handle: (request) => appendChunk(context, request) },
    { operation: distribution.finishUpload, handle: (request) => endUpload(context, request) },
    { operation: distribution.getUpload, handle: (request) => uploadState(context, request) },
    { operation: distribution.cancelUpload, handle: (request) => abandonUpload(context, request) },
  ];
}

async function getBlob(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const digest = parseDigest(param(request, 'digest'));
  const find = (): Promise<LinkedBlob> => requireBlob(context, request.registry.id, param(request, 'name'), digest);
  try {
    return blobReply(context, request, digest, await find());
  } catch (error) {
    const blob = await findElsewhere(context, request, { digest, error });
    // It may have arrived between the two looks.
    return blob === undefined ? blobReply(context, request, digest, await find()) : elsewhereReply(request, digest, blob);
  }
}

/** A blob on its way from another region is read from there meanwhile. @throws what was thrown here, where there is none */
async function findElsewhere(
  context: BlobsContext,
  { registry, params: { name: repository = '' } }: RouteRequest,
  { digest, error }: { readonly digest: Digest; readonly error: unknown },
): Promise<BlobElsewhere | undefined> {
  const isMissing = error instanceof RegistryError && error.error === 'BLOB_UNKNOWN';
  if (!isMissing || registry.isReplicated !== true || context.elsewhere === undefined) throw error;
  return context.elsewhere.find({ registryId: registry.id, repository, digest });
}

/** Whole, whatever range is asked for: the digest of a part of it is not known. */
function elsewhereReply(request: RouteRequest, digest: Digest, { sizeBytes, open }: BlobElsewhere): Reply {
  const headers = blobHeaders(digest);
  if (matchesEtag(request.headers['if-none-match'], digest)) return { status: 304, headers };
  return {
    status: 200,
    headers: { ...headers, 'Content-Type': 'application/octet-stream' },
    body: { lengthBytes: sizeBytes, open: () => open(request.signal) },
  };
}

/** A client that may push asks in order not to send: what is damaged is not here for it, so that a push repairs it. */
async function headBlob(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const { principal } = request;
  const name = param(request, 'name');
  if (!principal.permits({ type: 'repository', name, action: 'push' })) return getBlob(context, request);
  const digest = parseDigest(param(request, 'digest'));
  const blob = await findKnownBlob(context, requesterOf(request), digest);
  if (blob === undefined) return headElsewhere(context, request, digest);
  return blobReply(context, request, digest, blob);
}

/** What is on its way need not be sent, as long as it can come: the manifest that names it has it brought first. */
async function headElsewhere(context: BlobsContext, request: RouteRequest, digest: Digest): Promise<Reply> {
  const error = blobUnknown(param(request, 'name'), digest);
  const blob = await findElsewhere(context, request, { digest, error });
  if (blob?.isReachable !== true) throw error;
  return elsewhereReply(request, digest, blob);
}

function blobReply(context: BlobsContext, request: RouteRequest, digest: Digest, blob: LinkedBlob): Reply {
  const headers = { ...blobHeaders(digest), 'Accept-Ranges': 'bytes' };
  if (matchesEtag(request.headers['if-none-match'], digest)) return { status: 304, headers };
  const range = isRangeWanted(request, digest) ? parseRange(request.headers['range'], blob.size_bytes) : undefined;
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', {
      message: `the blob has ${blob.size_bytes} bytes; the range lies beyond`,
      headers: { 'Content-Range': `bytes */${blob.size_bytes}` },
    });
  }
  const served: ByteRange = range ?? { start: 0, end: blob.size_bytes };
  const { registry, signal } = request;
  const open = () => openDownload(context, { registryId: registry.id, blob, digest, range: served, signal });
  const partial = range && { 'Content-Range': `bytes ${range.start}-${range.end - 1}/${blob.size_bytes}` };
  return {
    status: range === undefined ? 200 : 206,
    headers: { ...headers, ...partial, 'Content-Type': 'application/octet-stream' },
    body: { lengthBytes: served.end - served.start, open },
  };
}

function blobHeaders(digest: Digest): Readonly<Record<string, string>> {
  return {
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Cache-Control': 'private, max-age=31536000, immutable',
  };
}

async function deleteBlob(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const digest = parseDigest(param(request, 'digest'));
  const unlink = { registryId: request.registry.id, repository, digest, now: context.clock.now() };
  const outcome = await context.database.write(unlinkBlob, unlink);
  if (outcome === 'unknown') throw blobUnknown(repository, digest);
  if (outcome === 'in-use') {
    throw new RegistryError('BLOB_IN_USE', { message: `the blob ${digest} is used by a manifest of ${repository}` });
  }
  return { status: 202, headers: { 'Docker-Content-Digest': digest } };
}

async function beginUpload(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const { query, principal, signal } = request;
  const requester = requesterOf(request);
  const mounted = parseOptional(query.get('mount'));
  const whole = parseOptional(query.get('digest'));
  const hint = query.get('digest-algorithm');
  // The hint is refused before anything is sent (OCI end-4c).
  const algorithm = hint === null ? mounted && digestAlgorithm(mounted) : parseDigestAlgorithm(hint);
  if (mounted !== undefined) {
    const source = query.get('from') ?? undefined;
    const { registryId, repository: target } = requester;
    const isMounted = await mount(context, { registryId, principal, digest: mounted, source, target });
    if (isMounted) return created(requester.repository, mounted);
  } else if (whole !== undefined) {
    const expectedBytes = request.contentLength;
    await uploadWhole(context, requester, { digest: whole, body: request.body, expectedBytes, signal });
    return created(requester.repository, whole);
  }
  const upload = await openUpload(context, requester, algorithm ?? 'sha256');
  const reply = accepted(requester.repository, upload.id, 0);
  return { ...reply, headers: { ...reply.headers, 'OCI-Chunk-Min-Length': minChunkBytes } };
}

async function appendChunk(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const chunk = await chunkOf(context, request);
  const requester = requesterOf(request);
  const receivedBytes = await sendChunk(context, requester, chunk);
  return accepted(requester.repository, chunk.uploadId, receivedBytes);
}

async function endUpload(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const digest = parseOptional(request.query.get('digest'));
  if (digest === undefined) {
    throw new RegistryError('DIGEST_INVALID', {
      message: 'the upload ends with ?digest=<digest of the whole blob>, which is missing',
    });
  }
  const requester = requesterOf(request);
  await finishUpload(context, requester, { ...(await chunkOf(context, request)), digest });
  return created(requester.repository, digest);
}

async function uploadState(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const requester = requesterOf(request);
  const upload = await requireUpload(context, requester, param(request, 'session'));
  return { ...accepted(requester.repository, upload.id, upload.receivedBytes), status: 204 };
}

async function abandonUpload(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const requester = requesterOf(request);
  const upload = await requireUpload(context, requester, param(request, 'session'));
  await cancelUpload(context, requester, { uploadId: upload.id, signal: request.signal });
  return { status: 204 };
}

function requesterOf(request: RouteRequest): UploadRequester {
  return { registryId: request.registry.id, repository: param(request, 'name'), principalId: request.principal.id };
}

/** What comes with a PATCH or PUT. Only the upload's owner gets so far as to take it over from another request (attack 16). */
async function chunkOf(context: BlobsContext, request: RouteRequest) {
  const upload = await requireUpload(context, requesterOf(request), param(request, 'session'));
  const range = chunkRange(request, upload);
  return {
    uploadId: upload.id,
    body: request.body,
    expectedBytes: request.contentLength ?? (range && range.end - range.start),
    start: range?.start,
    signal: request.signal,
  };
}

/** The chunk's place when the client says it; it must agree with the body's length (attack 9). */
function chunkRange(request: RouteRequest, upload: UploadState): ByteRange | undefined {
  const header = request.headers['content-range'];
  if (header === undefined) return undefined;
  const range = parseContentRange(header);
  if (range === undefined) {
    throw outOfOrder(param(request, 'name'), upload, 'the Content-Range header must read <first byte>-<last byte>');
  }
  const sizeBytes = range.end - range.start;
  if (request.contentLength === undefined || request.contentLength === sizeBytes) return range;
  throw new RegistryError('SIZE_INVALID', {
    message: `the Content-Range covers ${sizeBytes} bytes but the body has ${request.contentLength}`,
  });
}

/** With `If-Range`, a range counts only if the client's copy is of this very blob (RFC 9110, section 13.1.5). */
function isRangeWanted(request: RouteRequest, digest: Digest): boolean {
  const condition = request.headers['if-range'];
  return condition === undefined || condition.trim() === `"${digest}"`;
}

function matchesEtag(header: string | undefined, digest: Digest): boolean {
  return header !== undefined && (header.trim() === '*' || header.includes(`"${digest}"`));
}

function created(repository: string, digest: Digest): Reply {
  return { status: 201, headers: { Location: blobLocation(repository, digest), 'Docker-Content-Digest': digest } };
}

function accepted(repository: string, uploadId: string, receivedBytes: number): Reply {
  const headers = {
    Location: uploadLocation(repository, uploadId),
    Range: rangeOf(receivedBytes),
    'Docker-Upload-UUID': uploadId,
  };
  return { status: 202, headers };
}

/** @throws OciError DIGEST_INVALID */
function parseOptional(digest: string | null): Digest | undefined {
  return digest === null ? undefined : parseDigest(digest);
}

function param(request: RouteRequest, name: string): string {
  return request.params[name] ?? '';
}
