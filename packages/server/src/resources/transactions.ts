import { countChildren } from './queries.ts';
import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';

export interface WriteChild {
  readonly registryId: number;
  readonly kind: string;
  readonly name: string;
  readonly location: string | null;
  readonly tags: string;
  readonly properties: string;
  readonly by: string;
  readonly now: number;
  /** What it was merged with; undefined: there was none. */
  readonly version: number | undefined;
  /** How many of the kind the registry may have. */
  readonly atMost: number;
}

export type WrittenChild =
  | 'written'
  /** Another writer was faster: read again. */
  | 'outdated'
  /** There are as many as there may be. */
  | 'full';

/** Writes a child resource. On PostgreSQL two that are made at once may pass the count together: it bounds, it does not ration. */
export const writeChild = defineTransaction('resources.write', async (tx, input: WriteChild): Promise<WrittenChild> => {
  const { registryId, kind, name, location, tags, properties, by, now, version } = input;
  if (version === undefined) {
    const count = (await countChildren(tx, registryId)).get(kind) ?? 0;
    if (count >= input.atMost) return 'full';
    const made = await tx
      .insertInto('resources')
      .values({
        registry_id: registryId,
        kind,
        name,
        name_key: name.toLowerCase(),
        location,
        tags,
        properties,
        created_at: now,
        created_by: by,
        updated_at: now,
        updated_by: by,
        version: 1,
      })
      .onConflict((conflict) => conflict.columns(['registry_id', 'kind', 'name_key']).doNothing())
      .returning('id')
      .execute();
    return made.length > 0 ? 'written' : 'outdated';
  }
  const changed = await tx
    .updateTable('resources')
    .set({ location, tags, properties, updated_at: now, updated_by: by, version: version + 1 })
    .where('registry_id', '=', registryId)
    .where('kind', '=', kind)
    .where('name_key', '=', name.toLowerCase())
    .where('version', '=', version)
    .returning('id')
    .execute();
  return changed.length > 0 ? 'written' : 'outdated';
});

/** Whether there was one. What hangs on it (passwords of a token) goes with it. */
export const deleteChild = defineTransaction(
  'resources.delete',
  async (tx, input: { readonly registryId: number; readonly kind: string; readonly name: string }): Promise<boolean> => {
    const deleted = await tx
      .deleteFrom('resources')
      .where('registry_id', '=', input.registryId)
      .where('kind', '=', input.kind)
      .where('name_key', '=', input.name.toLowerCase())
      .returning('id')
      .execute();
    return deleted.length > 0;
  },
);

export const resourceTransactions: readonly TransactionDefinition<never, unknown>[] = [writeChild, deleteChild];
