import type { Readable } from 'node:stream';
import { type Digest, digestAlgorithm } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { isBlobDamaged } from '../platform/damage/index.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { requireWhole } from './check-body.ts';
import { type RenewLink, renewLink } from './link-blob.ts';
import { type LinkedBlob, collectionDueAt, findLinkedBlob } from './queries.ts';
import { receiveBody } from './receive-body.ts';

/**
 * The blob when the repository has it and it is sound: then a push needs no storing. Never so for what only other
 * repositories have: storing takes time, and its absence would tell (attack 15).
 */
export async function findKnownBlob(
  context: BlobsContext,
  requester: UploadRequester,
  digest: Digest,
): Promise<LinkedBlob | undefined> {
  const blob = await findLinkedBlob(context.database.read, requester.registryId, requester.repository, digest);
  if (blob === undefined || (await isBlobDamaged(context.database.read, blob.id))) return undefined;
  return (await keepForPush(context, requester, { blob, digest })) ? blob : undefined;
}

/**
 * A client that is told that a blob is here names it in a manifest and does not send it. If collection is going to look
 * before long whether the blob is used, it gets its time anew (attack 40). False when collection came first.
 */
async function keepForPush(
  context: BlobsContext,
  requester: UploadRequester,
  { blob, digest }: { readonly blob: LinkedBlob; readonly digest: Digest },
): Promise<boolean> {
  const dueAt = await collectionDueAt(context.database.read, blob);
  // Nothing due: a manifest uses it. Half the time left: that is long enough, and a push writes nothing here.
  if (dueAt === undefined || dueAt >= context.clock.now() + context.garbageDelayMs / 2) return true;
  return renew(context, requester, digest);
}

export interface KnownBody {
  readonly digest: Digest;
  readonly body: Readable;
  readonly expectedBytes: number | undefined;
  readonly signal: AbortSignal;
  /** The session that ends with this, if there is one. */
  readonly endedUpload?: RenewLink['endedUpload'];
}

/** Takes bytes that the repository has already: they are hashed, not stored. @throws DIGEST_INVALID, SIZE_INVALID */
export async function takeAsKnown(context: BlobsContext, requester: UploadRequester, known: KnownBody): Promise<void> {
  const running = context.digests.begin(digestAlgorithm(known.digest), known.expectedBytes);
  const received = await receiveBody({ ...known, running, sink: { write: () => undefined } });
  await requireWhole(received, running, known.digest);
  if (await renew(context, requester, known.digest, known.endedUpload)) return;
  throw new RegistryError('BLOB_UPLOAD_INVALID', { message: 'the blob was deleted while it was pushed: push it again' });
}

function renew(
  context: BlobsContext,
  { registryId, repository }: UploadRequester,
  digest: Digest,
  endedUpload?: RenewLink['endedUpload'],
): Promise<boolean> {
  const now = context.clock.now();
  const link = { registryId, repository, digest, now, dueAt: now + context.garbageDelayMs };
  return context.database.write(renewLink, endedUpload === undefined ? link : { ...link, endedUpload });
}
