import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Digest, digestAlgorithm, digestHex } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { commitUpload } from './commit-upload.ts';
import type { UploadState } from './model.ts';
import { hashOfUpload, requireNextBytes, requireUpload, uploadUnknown } from './open-upload.ts';
import { findLinkedBlob } from './queries.ts';
import { receiveBody } from './receive-body.ts';
import { dropUpload, mountBlob } from './transactions.ts';
import { writePart } from './write-part.ts';

export interface FinalChunk {
  readonly uploadId: string;
  readonly digest: Digest;
  /** Last bytes; may be empty. */
  readonly body: Readable;
  readonly expectedBytes: number | undefined;
  readonly start: number | undefined;
  readonly signal: AbortSignal;
}

/** Ends an upload (OCI end-6): takes the last bytes, checks the digest, makes the blob. */
export function finishUpload(context: BlobsContext, requester: UploadRequester, chunk: FinalChunk): Promise<void> {
  return context.sessions.asOnlyWriter(chunk.uploadId, chunk.signal, async (signal) => {
    const upload = await requireUpload(context, requester, chunk.uploadId);
    if (chunk.start !== undefined) requireNextBytes(requester.repository, upload, chunk.start);
    await completeUpload(context, requester, upload, { ...chunk, signal });
  });
}

/** The same for a session that is known and not shared. */
export async function completeUpload(context: BlobsContext, requester: UploadRequester, upload: UploadState, chunk: FinalChunk): Promise<void> {
  const hash = await hashOfUpload(context, requester.registryId, upload, digestAlgorithm(chunk.digest), chunk.signal);
  if (upload.receivedBytes === 0 && (await isKnownHere(context, requester, chunk.digest))) return verifyOnly(context, requester, upload, chunk, hash);
  if (chunk.expectedBytes === 0) return commit(context, requester, { upload, chunk, hash, finalBytes: 0 });
  const written = await writePart(context, { registryId: requester.registryId, upload, body: chunk.body, expectedBytes: chunk.expectedBytes, hash, signal: chunk.signal });
  if (!written.isComplete) throw brokenBody();
  await commit(context, requester, { upload: written.upload, chunk, hash, finalBytes: written.sizeBytes });
}

/**
 * The repository has this digest already, as a HEAD would tell: the bytes are hashed and not stored. Never so for what
 * only other repositories have: storing takes time, and its absence would tell (attack 15). A blob that is known to be
 * damaged is stored again.
 */
async function isKnownHere(context: BlobsContext, requester: UploadRequester, digest: Digest): Promise<boolean> {
  const blob = await findLinkedBlob(context.database.read, requester.registryId, requester.repository, digest);
  if (blob === undefined) return false;
  const damaged = await context.database.read
    .selectFrom('damage')
    .select('part_name')
    .where('registry_id', '=', requester.registryId)
    .where('blob_digest', '=', digest)
    .limit(1)
    .executeTakeFirst();
  return damaged === undefined;
}

async function verifyOnly(context: BlobsContext, requester: UploadRequester, upload: UploadState, chunk: FinalChunk, hash: Hash): Promise<void> {
  const received = await receiveBody(chunk.body, hash, { write: () => undefined }, chunk.signal);
  if (!received.isComplete) throw brokenBody();
  await requireDigest(context, upload, chunk.digest, hash);
  const now = context.clock.now();
  const link = { registryId: requester.registryId, digest: chunk.digest, source: requester.repository, target: requester.repository, now, dueAt: now + context.garbageDelayMs };
  const isLinked = await context.database.write(mountBlob, link);
  await drop(context, upload);
  if (!isLinked) throw new RegistryError('BLOB_UPLOAD_INVALID', { message: 'the blob was deleted while it was pushed: push it again' });
}

async function commit(
  context: BlobsContext,
  requester: UploadRequester,
  finished: { readonly upload: UploadState; readonly chunk: FinalChunk; readonly hash: Hash; readonly finalBytes: number },
): Promise<void> {
  const { upload, chunk, hash, finalBytes } = finished;
  const isReservedUntouched = context.sessions.isUntouched(upload.id, upload.nextPart);
  await requireDigest(context, upload, chunk.digest, hash);
  const now = context.clock.now();
  const isCommitted = await context.database.write(commitUpload, {
    registryId: requester.registryId,
    repositoryId: upload.repositoryId,
    uploadId: upload.id,
    version: upload.version,
    digest: chunk.digest,
    sizeBytes: upload.receivedBytes + finalBytes,
    finalPart: finalBytes > 0 ? { name: upload.nextPart, sizeBytes: finalBytes } : undefined,
    isReservedUntouched,
    now,
    dueAt: now + context.garbageDelayMs,
  });
  context.sessions.forget(upload.id);
  if (!isCommitted) throw uploadUnknown();
}

/** A digest that does not match ends the upload and leaves no trace. */
async function requireDigest(context: BlobsContext, upload: UploadState, expected: Digest, hash: Hash): Promise<void> {
  const actual = hash.digest('hex');
  if (actual === digestHex(expected)) return;
  await drop(context, upload);
  throw new RegistryError('DIGEST_INVALID', {
    message: `the uploaded bytes have the digest ${digestAlgorithm(expected)}:${actual}, not ${expected}; the upload was discarded`,
    detail: { digest: expected, actual: `${digestAlgorithm(expected)}:${actual}` },
  });
}

async function drop(context: BlobsContext, upload: UploadState): Promise<void> {
  context.sessions.forget(upload.id);
  await context.database.write(dropUpload, { uploadId: upload.id, now: context.clock.now() });
}

function brokenBody(): RegistryError {
  return new RegistryError('SIZE_INVALID', { message: 'the connection ended before the announced bytes had arrived: ask for the state of the upload and go on from there' });
}
