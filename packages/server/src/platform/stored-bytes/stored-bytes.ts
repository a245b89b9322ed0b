import { RegistryError } from '../../errors/index.ts';
import type { ReadQueries, WriteQueries } from '../database/database.ts';
import { prepareRead } from '../database/prepared-read.ts';

export interface Stored {
  /** Of blobs and manifests. */
  readonly bytes: number;
  readonly blobs: number;
}

/** A blob came to a registry. */
export function addStored(tx: WriteQueries, registryId: number, bytes: number): Promise<unknown> {
  return tx.insertInto('stored_deltas').values({ registry_id: registryId, bytes, blobs: 1 }).execute();
}

/** A blob went. */
export function removeStored(tx: WriteQueries, registryId: number, bytes: number): Promise<unknown> {
  return tx.insertInto('stored_deltas').values({ registry_id: registryId, bytes: -bytes, blobs: -1 }).execute();
}

/** Manifests came (a positive number) or went (a negative one). */
export async function changeManifestBytes(tx: WriteQueries, registryId: number, bytes: number): Promise<void> {
  if (bytes !== 0) await tx.insertInto('stored_deltas').values({ registry_id: registryId, bytes, blobs: 0 }).execute();
}

interface OfRegistry extends Record<string, unknown> {
  readonly registryId: number;
}

const folded = prepareRead<OfRegistry, Stored>((db, { registryId }) =>
  db.selectFrom('stored_bytes').select(['bytes', 'blobs']).where('registry_id', '=', registryId),
);
const recent = prepareRead<OfRegistry, { readonly bytes: number | string | null; readonly blobs: number | string | null }>(
  (db, { registryId }) =>
    db
      .selectFrom('stored_deltas')
      .select(({ fn }) => [
        fn.sum<number | string | null>('bytes').as('bytes'),
        fn.sum<number | string | null>('blobs').as('blobs'),
      ])
      .where('registry_id', '=', registryId),
);

/** What a registry stores now. */
export async function storedIn(db: ReadQueries | WriteQueries, registryId: number): Promise<Stored> {
  const [base, delta] = [await folded.first(db, { registryId }), await recent.first(db, { registryId })];
  return {
    bytes: (base?.bytes ?? 0) + Number(delta?.bytes ?? 0),
    blobs: (base?.blobs ?? 0) + Number(delta?.blobs ?? 0),
  };
}

/** More than the transactions that run at once can add: the connections of a pool, each with the largest layer (200 GiB). */
const maxInFlightBytes = 8 * 2 ** 40;

/**
 * Refuses a new blob or manifest that would not fit. Those that come near the limit wait for each other, so that fifty pushes at
 * once do not pass it together (attack 46). @throws REGISTRY_DISALLOWED_OPERATION
 */
export async function requireRoom(
  tx: WriteQueries,
  { registryId, limitBytes, sizeBytes }: { readonly registryId: number; readonly limitBytes: number; readonly sizeBytes: number },
): Promise<void> {
  const roughly = await storedIn(tx, registryId);
  if (roughly.bytes + sizeBytes + maxInFlightBytes <= limitBytes) return;
  // Not `FOR UPDATE`: the foreign key of a new blob holds the row already, in each of them.
  await tx.selectFrom('registries').select('id').where('id', '=', registryId).forNoKeyUpdate().execute();
  const { bytes } = await storedIn(tx, registryId);
  if (bytes + sizeBytes <= limitBytes) return;
  throw new RegistryError('REGISTRY_DISALLOWED_OPERATION', {
    message: `the registry stores ${bytes} of the ${limitBytes} bytes that its plan allows, and ${sizeBytes} more do not fit; delete images, or change the plan or its limit`,
    detail: {},
  });
}
