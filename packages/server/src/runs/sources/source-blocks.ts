import { Readable } from 'node:stream';
import { RegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { SourceBlock, SourceJoin } from '../model.ts';
import type { RunsContext } from '../runs-context.ts';
import { addBlock, blocksOf, releaseBlocks } from './block-objects.ts';
import { type ObjectRow, newObject, releaseObject } from './objects.ts';
import { receiveInto } from './receive-source.ts';
import { receiveSource, verifierOf } from './sources.ts';

/** As long as the address that takes them, with time to join them. */
const keptMs = 2 * 3_600_000;
/** Clients send 4 MiB. */
const maxBlockBytes = 16 * 2 ** 20;

/**
 * Keeps one block of a source that was reserved; one with the same id is replaced. False: the secret is not the one, or it was used.
 * @throws SIZE_INVALID, STORAGE_FULL, TOOMANYREQUESTS
 */
export async function receiveSourceBlock(
  context: RunsContext,
  registry: Registry,
  id: string,
  { secret, blockId, ...upload }: SourceBlock,
): Promise<boolean> {
  const { database, keys, clock, limits } = context;
  const { sizeBytes } = upload;
  if (sizeBytes > maxBlockBytes)
    throw new RegistryError('SIZE_INVALID', { message: `a block may have ${maxBlockBytes} bytes at the most` });
  const now = clock.now();
  const object = newObject({
    registryId: registry.id,
    kind: 'block',
    dataKeyId: keys.current(registry.id).id,
    owner: ownerOf(id, blockId),
    now,
    keptMs,
  });
  const verifier = verifierOf(secret);
  const outcome = await database.write(addBlock, {
    object,
    sourceId: id.slice(0, 64),
    verifier,
    sizeBytes,
    maxBytes: limits.maxSourceSizeBytes,
  });
  if (outcome === 'closed') return false;
  try {
    await receiveInto(context, object, upload);
    return true;
  } catch (error) {
    await database.write(releaseObject, { id: object.id, now: clock.now() });
    throw error;
  }
}

/**
 * Makes blocks the source, in this order. False: as for a block.
 * @throws BLOB_UPLOAD_INVALID when one of them is not there
 */
export async function joinSource(
  context: RunsContext,
  registry: Registry,
  id: string,
  { secret, blockIds, signal }: SourceJoin,
): Promise<boolean> {
  const { database, clock } = context;
  const known = new Map((await blocksOf(database.read, registry.id, id)).map((block) => [block.owner, block]));
  const blocks = blockIds.map((blockId) => {
    const block = known.get(ownerOf(id, blockId));
    if (block === undefined)
      throw new RegistryError('BLOB_UPLOAD_INVALID', { message: 'the list names a block that was not uploaded' });
    return block;
  });
  const sizeBytes = blocks.reduce((sum, block) => sum + Number(block.size_bytes), 0);
  const body = Readable.from(contentOf(context, blocks, signal), { objectMode: true, highWaterMark: 1 });
  try {
    const isKept = await receiveSource(context, registry, id, { secret, body, sizeBytes, signal });
    if (isKept) await database.write(releaseBlocks, { registryId: registry.id, sourceId: id, now: clock.now() });
    return isKept;
  } finally {
    body.destroy();
  }
}

async function* contentOf(
  { store, keys }: RunsContext,
  blocks: readonly ObjectRow[],
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for (const { part_name: part, registry_id: registryId, data_key_id: keyId, size_bytes: size } of blocks) {
    const sizeBytes = Number(size);
    const key = keys.get(registryId, keyId);
    for await (const chunks of store.read(part, key, { start: 0, end: sizeBytes, sizeBytes }, signal)) yield* chunks;
  }
}

/** Ids of blocks are any bytes. */
function ownerOf(sourceId: string, blockId: string): string {
  return `${sourceId}/${Buffer.from(blockId, 'base64').toString('hex')}`;
}
