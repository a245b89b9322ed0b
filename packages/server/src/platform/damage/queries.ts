import type { ReadQueries, WriteQueries } from '../database/database.ts';
import { prepareRead } from '../database/prepared-read.ts';
import type { DamageRow } from '../database/tables.ts';

const damagedPart = prepareRead<{ blobId: number }, { readonly name: string }>((db, { blobId }) =>
  db
    .selectFrom('parts')
    .innerJoin('damage', 'damage.part_name', 'parts.name')
    .select('parts.name')
    .where('parts.blob_id', '=', blobId)
    .limit(1),
);

/** Whether one of a blob's parts is known not to open. */
export async function isBlobDamaged(db: ReadQueries | WriteQueries, blobId: number): Promise<boolean> {
  return (await damagedPart.first(db, { blobId })) !== undefined;
}

/** Damage of parts that something still needs, by part name. */
export function knownDamage(db: ReadQueries, registryId: number, limit: number): Promise<DamageRow[]> {
  return db
    .selectFrom('damage')
    .innerJoin('parts', 'parts.name', 'damage.part_name')
    .selectAll('damage')
    .where('damage.registry_id', '=', registryId)
    .where((eb) => eb.or([eb('parts.blob_id', 'is not', null), eb('parts.upload_id', 'is not', null)]))
    .orderBy('damage.part_name')
    .limit(limit)
    .execute();
}

/** Parts of every registry that are known not to open. */
export async function countDamage(db: ReadQueries): Promise<number> {
  const row = await db
    .selectFrom('damage')
    .select(({ fn }) => fn.countAll<number>().as('parts'))
    .executeTakeFirstOrThrow();
  return row.parts;
}
