import type { SecretRow } from '../../platform/database/index.ts';
import { defineTransaction } from '../../platform/database/index.ts';

/** Makes or replaces a secret. On PostgreSQL two that are made at once may pass the count together: it bounds, it does not ration. */
export const putSecret = defineTransaction(
  'tasks.put-secret',
  async (tx, { row, atMost }: { readonly row: SecretRow; readonly atMost: number }): Promise<'kept' | 'full'> => {
    const known = await tx
      .selectFrom('secrets')
      .select('name')
      .where('registry_id', '=', row.registry_id)
      .where('name', '=', row.name)
      .executeTakeFirst();
    if (known === undefined) {
      const { count } = await tx
        .selectFrom('secrets')
        .select(({ fn }) => fn.countAll<number | string>().as('count'))
        .where('registry_id', '=', row.registry_id)
        .executeTakeFirstOrThrow();
      if (Number(count) >= atMost) return 'full';
    }
    const { sealed, data_key_id, updated_at } = row;
    await tx
      .insertInto('secrets')
      .values(row)
      .onConflict((conflict) => conflict.columns(['registry_id', 'name']).doUpdateSet({ sealed, data_key_id, updated_at }))
      .execute();
    return 'kept';
  },
);

/** Whether there was one. */
export const deleteSecret = defineTransaction(
  'tasks.delete-secret',
  async (tx, { registryId, name }: { readonly registryId: number; readonly name: string }): Promise<boolean> => {
    const deleted = await tx
      .deleteFrom('secrets')
      .where('registry_id', '=', registryId)
      .where('name', '=', name)
      .returning('name')
      .execute();
    return deleted.length > 0;
  },
);
