import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { RegistryError } from '../errors/index.ts';
import { PartExistsError, type SealedWriter, StoreFullError } from '../platform/blob-store/index.ts';
import type { BlobsContext } from './blobs-context.ts';
import { type UploadState, maxPartsPerUpload, newPartName } from './model.ts';
import { uploadUnknown } from './open-upload.ts';
import { receiveBody } from './receive-body.ts';
import { replacePart } from './transactions.ts';

export interface WrittenPart {
  /** The upload, whose reserved part may have been replaced. */
  readonly upload: UploadState;
  /** 0: nothing came, and no object was kept. */
  readonly sizeBytes: number;
  readonly isComplete: boolean;
}

export interface PartSource {
  readonly registryId: number;
  readonly upload: UploadState;
  readonly body: Readable;
  readonly expectedBytes: number | undefined;
  readonly hash: Hash;
  readonly signal: AbortSignal;
}

/**
 * Seals a request body into the upload's reserved part and makes it durable. The database does not count it yet. After
 * a failure the running digest covers bytes that are not kept, so it is forgotten.
 */
export async function writePart(context: BlobsContext, source: PartSource): Promise<WrittenPart> {
  const { writer, upload } = await createPart(context, source);
  context.sessions.forget(upload.id);
  try {
    const { sizeBytes, isComplete } = await receiveBody(source.body, source.hash, writer, source.signal);
    if (sizeBytes === 0) await writer.cancel();
    else await writer.commit();
    return { upload, sizeBytes, isComplete };
  } catch (error) {
    await writer.cancel();
    throw asExpected(error);
  }
}

async function createPart(context: BlobsContext, source: PartSource): Promise<{ readonly writer: SealedWriter; readonly upload: UploadState }> {
  const { registryId, expectedBytes } = source;
  if (source.upload.nextPosition >= maxPartsPerUpload) {
    throw new RegistryError('BLOB_UPLOAD_INVALID', { message: `the upload has ${maxPartsPerUpload} chunks already: begin again with larger ones` });
  }
  const create = (upload: UploadState): Promise<SealedWriter> =>
    context.store.create(upload.nextPart, context.keys.get(registryId, upload.nextPartKeyId), expectedBytes === undefined ? {} : { expectedBytes });
  try {
    return { writer: await create(source.upload), upload: source.upload };
  } catch (error) {
    if (!(error instanceof PartExistsError)) throw asExpected(error);
    // A crash or another process left an object under the reserved name.
    const upload = await replaceReserved(context, registryId, source.upload);
    return { writer: await create(upload), upload };
  }
}

async function replaceReserved(context: BlobsContext, registryId: number, upload: UploadState): Promise<UploadState> {
  const next = { name: newPartName(), dataKeyId: context.keys.current(registryId).id };
  const isReplaced = await context.database.write(replacePart, {
    registryId,
    uploadId: upload.id,
    version: upload.version,
    name: upload.nextPart,
    position: upload.nextPosition,
    next,
    now: context.clock.now(),
  });
  if (!isReplaced) throw uploadUnknown();
  return { ...upload, version: upload.version + 1, nextPart: next.name, nextPartKeyId: next.dataKeyId };
}

function asExpected(error: unknown): unknown {
  return error instanceof StoreFullError ? new RegistryError('STORAGE_FULL', { cause: error }) : error;
}
