import { randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { RegistryError } from '../../errors/index.ts';
import {
  type ReadQueries,
  type RunObjectRow,
  defineTransaction,
  lockFreeRows,
  lockRows,
  prepareRead,
} from '../../platform/database/index.ts';

export type ObjectRow = Selectable<RunObjectRow>;

export interface NewObject {
  readonly registryId: number;
  readonly kind: ObjectRow['kind'];
  readonly dataKeyId: string;
  readonly owner: string;
  readonly runRowId?: number;
  readonly verifier?: string;
  readonly now: number;
  /** How long it may stay unfinished or unused. */
  readonly keptMs: number;
}

export function newObject({ registryId, kind, dataKeyId, owner, runRowId, verifier, now, keptMs }: NewObject): ObjectRow {
  return {
    id: randomBytes(16).toString('hex'),
    registry_id: registryId,
    kind,
    part_name: newPartName(),
    data_key_id: dataKeyId,
    size_bytes: null,
    owner,
    upload_verifier: verifier ?? null,
    run_row_id: runRowId ?? null,
    created_at: now,
    expires_at: now + keptMs,
  };
}

export function newPartName(): string {
  return randomBytes(16).toString('hex');
}

/** Records an object before its first byte is written. @throws TOOMANYREQUESTS */
export const addObject = defineTransaction(
  'runs.add-object',
  async (tx, { object, maxObjects }: { readonly object: ObjectRow; readonly maxObjects: number | undefined }): Promise<void> => {
    if (maxObjects !== undefined) {
      const registry = tx.selectFrom('registries').select('id').where('id', '=', object.registry_id);
      await lockRows(registry).execute();
      const others = await tx
        .selectFrom('run_objects')
        .select(({ fn }) => fn.countAll<number | string>().as('count'))
        .where('registry_id', '=', object.registry_id)
        .where('kind', '=', object.kind)
        .executeTakeFirst();
      if (Number(others?.count ?? 0) >= maxObjects)
        throw new RegistryError('TOOMANYREQUESTS', {
          message: `${maxObjects} uploaded sources wait for their runs, or for runs to end; wait, or cancel runs`,
          headers: { 'Retry-After': '30' },
        });
    }
    await tx.insertInto('run_objects').values(object).execute();
  },
);

export interface FinishObject {
  readonly id: string;
  /** As they were when the upload began: otherwise collection has been here. */
  readonly partName: string;
  readonly expiresAt: number;
  readonly sizeBytes: number;
  readonly keptUntil: number;
}

/** The object is durable. False: it was given up meanwhile. */
export const finishObject = defineTransaction('runs.finish-object', async (tx, input: FinishObject): Promise<boolean> => {
  const finished = await tx
    .updateTable('run_objects')
    .set({ size_bytes: input.sizeBytes, expires_at: input.keptUntil })
    .where('id', '=', input.id)
    .where('part_name', '=', input.partName)
    .where('expires_at', '=', input.expiresAt)
    .where('size_bytes', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return finished !== undefined;
});

export interface UseAddress {
  readonly registryId: number;
  readonly id: string;
  readonly verifier: string;
  readonly now: number;
  readonly keptUntil: number;
}

/** Takes an upload that was reserved for whoever has its secret, once. */
export const useAddress = defineTransaction(
  'runs.use-address',
  async (tx, input: UseAddress): Promise<ObjectRow | undefined> =>
    tx
      .updateTable('run_objects')
      .set({ upload_verifier: null, expires_at: input.keptUntil })
      .where('id', '=', input.id)
      .where('registry_id', '=', input.registryId)
      .where('kind', '=', 'source')
      .where('upload_verifier', '=', input.verifier)
      .where('size_bytes', 'is', null)
      .where('expires_at', '>', input.now)
      .returningAll()
      .executeTakeFirst(),
);

export interface OfferAgain {
  readonly object: ObjectRow;
  readonly verifier: string;
  readonly partName: string;
}

/** An upload broke off: its address takes another, under another name. */
export const offerAgain = defineTransaction('runs.offer-again', async (tx, { object, verifier, partName }: OfferAgain) => {
  await tx
    .updateTable('run_objects')
    .set({ upload_verifier: verifier, part_name: partName })
    .where('id', '=', object.id)
    .where('part_name', '=', object.part_name)
    .where('size_bytes', 'is', null)
    .execute();
});

/** Whether there is something to erase. */
const expired = prepareRead<{ readonly now: number }, { readonly id: string }>((db, { now }) =>
  db.selectFrom('run_objects').select('id').where('expires_at', '<=', now).limit(1),
);

export async function hasExpired(db: ReadQueries, now: number): Promise<boolean> {
  return (await expired.first(db, { now })) !== undefined;
}

export interface TakeExpired {
  readonly now: number;
  /** Until when nobody else erases them. */
  readonly heldUntil: number;
  readonly limit: number;
}

/** Objects to erase. From now on nobody can use them. */
export const takeExpired = defineTransaction(
  'runs.take-expired-objects',
  async (tx, { now, heldUntil, limit }: TakeExpired): Promise<readonly Pick<ObjectRow, 'id' | 'part_name'>[]> => {
    const query = tx.selectFrom('run_objects').select(['id', 'part_name']).where('expires_at', '<=', now);
    const rows = await lockFreeRows(query.orderBy('expires_at').limit(limit)).execute();
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    const unusable = { expires_at: heldUntil, size_bytes: null, upload_verifier: null };
    await tx.updateTable('run_objects').set(unusable).where('id', 'in', ids).execute();
    return rows;
  },
);

export const dropObjects = defineTransaction('runs.drop-objects', async (tx, { ids }: { readonly ids: readonly string[] }) => {
  if (ids.length > 0) await tx.deleteFrom('run_objects').where('id', 'in', ids).execute();
});

/** Nobody wants the object any more. */
export const releaseObject = defineTransaction(
  'runs.release-object',
  async (tx, { id, now }: { readonly id: string; readonly now: number }): Promise<void> => {
    await tx.updateTable('run_objects').set({ expires_at: now }).where('id', '=', id).execute();
  },
);

export const objectTransactions = [releaseObject, addObject, finishObject, useAddress, offerAgain, takeExpired, dropObjects];
