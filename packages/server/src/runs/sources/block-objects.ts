import { RegistryError } from '../../errors/index.ts';
import { type ReadQueries, type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import type { ObjectRow } from './objects.ts';

/** Clients send two at a time. */
const maxUnfinished = 16;
/** Of one source. */
const maxBlocks = 20_000;

/** Blocks of a source that are durable. */
export function blocksOf(db: ReadQueries | WriteQueries, registryId: number, sourceId: string): Promise<readonly ObjectRow[]> {
  return allBlocks(db, registryId, sourceId).where('size_bytes', 'is not', null).execute();
}

/** Their owner is the source and their id in it: `0` follows `/`. */
function allBlocks(db: ReadQueries | WriteQueries, registryId: number, sourceId: string) {
  return db
    .selectFrom('run_objects')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('kind', '=', 'block')
    .where('owner', '>', `${sourceId}/`)
    .where('owner', '<', `${sourceId}0`);
}

export interface AddBlock {
  readonly object: ObjectRow;
  readonly sourceId: string;
  /** Of the secret of the source's address. */
  readonly verifier: string;
  readonly sizeBytes: number;
  /** Of all blocks of the source. */
  readonly maxBytes: number;
}

/** Records a block before its first byte is written. `closed`: the source takes nothing, or not from whoever sends this. */
export const addBlock = defineTransaction(
  'runs.add-block',
  async (tx, { object, sourceId, verifier, sizeBytes, maxBytes }: AddBlock): Promise<'added' | 'closed'> => {
    const { registry_id: registryId, created_at: now, owner } = object;
    const source = tx
      .selectFrom('run_objects')
      .select('id')
      .where('id', '=', sourceId)
      .where('registry_id', '=', registryId)
      .where('kind', '=', 'source')
      .where('upload_verifier', '=', verifier)
      .where('size_bytes', 'is', null)
      .where('expires_at', '>', now);
    if ((await lockRows(source).executeTakeFirst()) === undefined) return 'closed';
    const others = (await allBlocks(tx, registryId, sourceId).where('expires_at', '>', now).execute()).filter(
      (block) => block.owner !== owner,
    );
    const unfinished = others.filter((block) => block.size_bytes === null).length;
    if (unfinished >= maxUnfinished || others.length >= maxBlocks)
      throw new RegistryError('TOOMANYREQUESTS', {
        message: 'too many blocks of this source are on their way',
        headers: { 'Retry-After': '1' },
      });
    const bytes = others.reduce((sum, block) => sum + (block.size_bytes ?? 0), sizeBytes);
    if (bytes > maxBytes)
      throw new RegistryError('SIZE_INVALID', { message: `the blocks have more than ${maxBytes} bytes together` });
    // One that was sent before under this id is not wanted any more.
    await tx
      .updateTable('run_objects')
      .set({ expires_at: now, size_bytes: null })
      .where('registry_id', '=', registryId)
      .where('kind', '=', 'block')
      .where('owner', '=', owner)
      .execute();
    await tx.insertInto('run_objects').values(object).execute();
    return 'added';
  },
);

export interface ReleaseBlocks {
  readonly registryId: number;
  readonly sourceId: string;
  readonly now: number;
}

/** They are joined: nobody wants them any more. */
export const releaseBlocks = defineTransaction(
  'runs.release-blocks',
  async (tx, { registryId, sourceId, now }: ReleaseBlocks): Promise<void> => {
    await tx
      .updateTable('run_objects')
      .set({ expires_at: now })
      .where('registry_id', '=', registryId)
      .where('kind', '=', 'block')
      .where('owner', '>', `${sourceId}/`)
      .where('owner', '<', `${sourceId}0`)
      .execute();
  },
);

export const blockTransactions = [addBlock, releaseBlocks];
