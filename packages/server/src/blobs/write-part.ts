import type { Readable } from 'node:stream';
import { RegistryError } from '../errors/index.ts';
import { PartExistsError, type SealedWriter, StoreFullError } from '../platform/blob-store/index.ts';
import type { RunningDigest } from '../platform/digests/index.ts';
import type { BlobsContext } from './blobs-context.ts';
import { type UploadState, maxPartsPerUpload, newPartName } from './model.ts';
import { changedMeanwhile } from './open-upload.ts';
import { isPartKnown } from './queries.ts';
import { type ReceivedBody, receiveBody } from './receive-body.ts';
import { replacePart } from './transactions.ts';

export interface WrittenPart {
  /** The upload, whose reserved part may have been replaced. */
  readonly upload: UploadState;
  /** 0: nothing came, and no object was kept. */
  readonly sizeBytes: number;
}

export interface PartSource {
  readonly registryId: number;
  readonly upload: UploadState;
  readonly body: Readable;
  readonly expectedBytes: number | undefined;
  readonly running: RunningDigest;
  readonly signal: AbortSignal;
  /** Looks at what came before it is made durable; throws to give it up. */
  readonly inspect?: (received: ReceivedBody) => Promise<void>;
}

/** Seals a request body into the upload's reserved part and makes it durable. The database does not count it yet. */
export async function writePart(context: BlobsContext, source: PartSource): Promise<WrittenPart> {
  context.sessions.touch(source.upload.id);
  const { writer, upload } = await createPart(context, source);
  try {
    const received = await receiveBody({ ...source, sink: writer });
    await source.inspect?.(received);
    if (received.sizeBytes === 0) await writer.cancel();
    else await writer.commit();
    return { upload, sizeBytes: received.sizeBytes };
  } catch (error) {
    // The row stays and leads collection to whatever could not be removed.
    await writer
      .cancel()
      .catch((reason: unknown) =>
        context.log.warn({ err: reason, part: upload.nextPart }, 'a part that was given up could not be removed yet'),
      );
    throw asExpected(error);
  }
}

async function createPart(
  context: BlobsContext,
  source: PartSource,
): Promise<{ readonly writer: SealedWriter; readonly upload: UploadState }> {
  const { registryId, expectedBytes, signal } = source;
  if (source.upload.nextPosition >= maxPartsPerUpload) {
    throw new RegistryError('BLOB_UPLOAD_INVALID', {
      message: `the upload has ${maxPartsPerUpload} chunks already: begin again with larger ones`,
    });
  }
  const create = (upload: UploadState): Promise<SealedWriter> => {
    const key = context.keys.get(registryId, upload.nextPartKeyId);
    return context.store.create(upload.nextPart, key, { signal, ...(expectedBytes !== undefined && { expectedBytes }) });
  };
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
  if (!isReplaced) throw changedMeanwhile();
  return { ...upload, version: upload.version + 1, nextPart: next.name, nextPartKeyId: next.dataKeyId };
}

/**
 * For a durable part that no transaction took: its upload ended meanwhile. Its row leads collection to it, unless that
 * has come and gone already.
 */
export async function abandonPart(context: BlobsContext, name: string): Promise<void> {
  if (!(await isPartKnown(context.database.read, name))) await context.store.deleteMany([name]);
}

function asExpected(error: unknown): unknown {
  return error instanceof StoreFullError ? new RegistryError('STORAGE_FULL', { cause: error }) : error;
}
