import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';

/** The id of a registry, made when missing. */
export const ensureRegistry = defineTransaction(
  'registries.ensure',
  async (
    tx,
    input: { readonly name: string; readonly isAnonymousPullEnabled: boolean; readonly now: number },
  ): Promise<number> => {
    const anonymousPull = input.isAnonymousPullEnabled ? 1 : 0;
    await tx
      .insertInto('registries')
      .values({ name: input.name, anonymous_pull: anonymousPull, created_at: input.now })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ anonymous_pull: anonymousPull }))
      .execute();
    const row = await tx.selectFrom('registries').select('id').where('name', '=', input.name).executeTakeFirstOrThrow();
    return row.id;
  },
);

export const registryTransactions: readonly TransactionDefinition<never, unknown>[] = [ensureRegistry];
