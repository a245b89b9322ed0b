import { type TransactionDefinition, defineTransaction, lockRows } from '../platform/database/index.ts';

type Slot = 'password1' | 'password2';

export interface PutTokenPasswords {
  readonly registryId: number;
  readonly name: string;
  readonly passwords: readonly { readonly slot: Slot; readonly verifier: string }[];
  readonly expiresAt: number | null;
  readonly now: number;
}

export interface StoredPasswords {
  readonly username: string;
  /** Both, where there are both. */
  readonly passwords: readonly { readonly slot: Slot; readonly created_at: number; readonly expires_at: number | null }[];
}

/** Sets passwords of a repository-scoped token. Undefined when there is none of that name. */
export const putTokenPasswords = defineTransaction(
  'access.put-token-passwords',
  async (tx, input: PutTokenPasswords): Promise<StoredPasswords | undefined> => {
    const token = await lockRows(
      tx
        .selectFrom('resources')
        .select(['id', 'name'])
        .where('registry_id', '=', input.registryId)
        .where('kind', '=', 'tokens')
        .where('name_key', '=', input.name.toLowerCase()),
    ).executeTakeFirst();
    if (token === undefined) return undefined;
    const before = await tx
      .selectFrom('token_passwords')
      .select(['slot', 'created_at'])
      .where('resource_id', '=', token.id)
      .execute();
    for (const { slot, verifier } of input.passwords) {
      // Sign-ins name their password by this time: it grows, whatever the clock says.
      const last = before.find((each) => each.slot === slot)?.created_at ?? 0;
      const row = { verifier, created_at: Math.max(input.now, last + 1), expires_at: input.expiresAt };
      await tx
        .insertInto('token_passwords')
        .values({ resource_id: token.id, slot, ...row })
        .onConflict((conflict) => conflict.columns(['resource_id', 'slot']).doUpdateSet(row))
        .execute();
    }
    const passwords = await tx
      .selectFrom('token_passwords')
      .select(['slot', 'created_at', 'expires_at'])
      .where('resource_id', '=', token.id)
      .orderBy('slot')
      .execute();
    return { username: token.name, passwords };
  },
);

/** Takes away the passwords of a token that are not named. */
export const keepTokenPasswords = defineTransaction(
  'access.keep-token-passwords',
  async (
    tx,
    { registryId, name, slots }: { readonly registryId: number; readonly name: string; readonly slots: readonly Slot[] },
  ): Promise<void> => {
    const gone = (['password1', 'password2'] as const).filter((slot) => !slots.includes(slot));
    if (gone.length === 0) return;
    await tx
      .deleteFrom('token_passwords')
      .where('slot', 'in', gone)
      .where('resource_id', 'in', (eb) =>
        eb
          .selectFrom('resources')
          .select('id')
          .where('registry_id', '=', registryId)
          .where('kind', '=', 'tokens')
          .where('name_key', '=', name.toLowerCase()),
      )
      .execute();
  },
);

export const tokenTransactions: readonly TransactionDefinition<never, unknown>[] = [putTokenPasswords, keepTokenPasswords];
