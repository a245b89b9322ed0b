import { distribution } from '@berth/api';
import { type Digest, parseDigest, parseDigestAlgorithm } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { type ByteRange, parseContentRange, parseRange } from '../http/ranges.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { openDownload, requireBlob } from './download.ts';
import { finishUpload } from './finish-upload.ts';
import { type UploadState, blobLocation, rangeOf, uploadLocation } from './model.ts';
import { mount } from './mount.ts';
import { requireUpload, uploadUnknown } from './open-upload.ts';
import { sendChunk } from './send-chunk.ts';
import { startUpload, uploadWhole } from './start-upload.ts';
import { dropUpload, unlinkBlob } from './transactions.ts';

export function blobRoutes(context: BlobsContext): readonly Route[] {
  return [
    { operation: distribution.getBlob, handle: (request) => readBlob(context, request) },
    { operation: distribution.headBlob, handle: (request) => readBlob(context, request) },
    { operation: distribution.deleteBlob, handle: (request) => removeBlob(context, request) },
    { operation: distribution.startUpload, handle: (request) => beginUpload(context, request) },
    { operation: distribution.sendChunk, handle: (request) => appendChunk(context, request) },
    { operation: distribution.finishUpload, handle: (request) => endUpload(context, request) },
    { operation: distribution.getUpload, handle: (request) => uploadState(context, request) },
    { operation: distribution.cancelUpload, handle: (request) => abandonUpload(context, request) },
  ];
}

async function readBlob(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const { registry, signal } = request;
  const digest = parseDigest(param(request, 'digest'));
  const blob = await requireBlob(context, registry.id, param(request, 'name'), digest);
  const headers = { 'Docker-Content-Digest': digest, ETag: `"${digest}"`, 'Accept-Ranges': 'bytes', 'Cache-Control': 'private, max-age=31536000, immutable' };
  if (matchesEtag(request.headers['if-none-match'], digest)) return { status: 304, headers };
  const range = isRangeWanted(request, digest) ? parseRange(request.headers['range'], blob.size_bytes) : undefined;
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', { message: `the blob has ${blob.size_bytes} bytes; the range lies beyond`, headers: { 'Content-Range': `bytes */${blob.size_bytes}` } });
  }
  const served: ByteRange = range ?? { start: 0, end: blob.size_bytes };
  const open = () => openDownload(context, { registryId: registry.id, blob, digest, range: served, signal });
  const partial = range === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end - 1}/${blob.size_bytes}` };
  return {
    status: range === undefined ? 200 : 206,
    headers: { ...headers, ...partial, 'Content-Type': 'application/octet-stream' },
    body: { lengthBytes: served.end - served.start, open },
  };
}

async function removeBlob(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const repository = param(request, 'name');
  const digest = parseDigest(param(request, 'digest'));
  const outcome = await context.database.write(unlinkBlob, { registryId: request.registry.id, repository, digest, now: context.clock.now() });
  if (outcome === 'unknown') throw new RegistryError('BLOB_UNKNOWN', { message: `the blob ${digest} is not in the repository ${repository}`, detail: { digest } });
  if (outcome === 'in-use') throw new RegistryError('BLOB_IN_USE', { message: `the blob ${digest} is used by a manifest of ${repository}` });
  return { status: 202, headers: { 'Docker-Content-Digest': digest } };
}

async function beginUpload(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const { query, principal } = request;
  const requester = requesterOf(request);
  const mounted = query.get('mount');
  if (mounted !== null) {
    const digest = parseDigest(mounted);
    const source = query.get('from') ?? undefined;
    if (await mount(context, { principal, digest, source, target: requester.repository })) return created(requester.repository, digest);
  }
  const whole = query.get('digest');
  if (whole !== null && mounted === null) {
    const digest = parseDigest(whole);
    await uploadWhole(context, requester, { digest, body: request.body, expectedBytes: request.contentLength, signal: request.signal });
    return created(requester.repository, digest);
  }
  const upload = await startUpload(context, requester, parseDigestAlgorithm(query.get('digest-algorithm') ?? 'sha256'));
  return accepted(requester.repository, upload.id, 0);
}

async function appendChunk(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const requester = requesterOf(request);
  const uploadId = param(request, 'session');
  const range = chunkRange(request);
  const expectedBytes = request.contentLength ?? (range && range.end - range.start);
  const receivedBytes = await sendChunk(context, requester, { uploadId, body: request.body, expectedBytes, start: range?.start, signal: request.signal });
  return accepted(requester.repository, uploadId, receivedBytes);
}

async function endUpload(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const requester = requesterOf(request);
  const wanted = request.query.get('digest');
  if (wanted === null) throw new RegistryError('DIGEST_INVALID', { message: 'the upload ends with ?digest=<digest of the whole blob>, which is missing' });
  const digest = parseDigest(wanted);
  const range = chunkRange(request);
  const expectedBytes = request.contentLength ?? (range && range.end - range.start);
  await finishUpload(context, requester, { uploadId: param(request, 'session'), digest, body: request.body, expectedBytes, start: range?.start, signal: request.signal });
  return created(requester.repository, digest);
}

async function uploadState(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const requester = requesterOf(request);
  const upload: UploadState = await requireUpload(context, requester, param(request, 'session'));
  return { ...accepted(requester.repository, upload.id, upload.receivedBytes), status: 204 };
}

async function abandonUpload(context: BlobsContext, request: RouteRequest): Promise<Reply> {
  const upload = await requireUpload(context, requesterOf(request), param(request, 'session'));
  context.sessions.forget(upload.id);
  if (!(await context.database.write(dropUpload, { uploadId: upload.id, now: context.clock.now() }))) throw uploadUnknown();
  return { status: 204 };
}

function requesterOf(request: RouteRequest): UploadRequester {
  return { registryId: request.registry.id, repository: param(request, 'name'), principalId: request.principal.id };
}

/** The chunk's place when the client says it; it must agree with the body's length (attack 9). */
function chunkRange(request: RouteRequest): ByteRange | undefined {
  const header = request.headers['content-range'];
  if (header === undefined) return undefined;
  const range = parseContentRange(header);
  if (range === undefined) throw new RegistryError('RANGE_INVALID', { message: 'the Content-Range header must read <first byte>-<last byte>' });
  if (request.contentLength !== undefined && request.contentLength !== range.end - range.start) {
    throw new RegistryError('SIZE_INVALID', { message: `the Content-Range covers ${range.end - range.start} bytes but the body has ${request.contentLength}` });
  }
  return range;
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
  return { status: 202, headers: { Location: uploadLocation(repository, uploadId), Range: rangeOf(receivedBytes), 'Docker-Upload-UUID': uploadId } };
}

function param(request: RouteRequest, name: string): string {
  return request.params[name] ?? '';
}
