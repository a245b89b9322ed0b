import type { TrustedIssuerRow } from '../../platform/database/index.ts';
import { type TransactionDefinition, defineTransaction } from '../../platform/database/index.ts';

const maxIssuers = 200;

export const putIssuer = defineTransaction('access.put-issuer', async (tx, row: TrustedIssuerRow): Promise<'put' | 'full'> => {
  const { issuer, jwks } = row;
  const known = await tx.selectFrom('trusted_issuers').select('issuer').limit(maxIssuers).execute();
  if (known.length >= maxIssuers && !known.some((each) => each.issuer === issuer)) return 'full';
  await tx
    .insertInto('trusted_issuers')
    .values(row)
    .onConflict((conflict) => conflict.column('issuer').doUpdateSet({ jwks }))
    .execute();
  return 'put';
});

/** Federated credentials of the issuer stay, and let nobody in while it is not trusted. */
export const deleteIssuer = defineTransaction(
  'access.delete-issuer',
  async (tx, { issuer }: { readonly issuer: string }): Promise<boolean> => {
    const [{ numDeletedRows } = { numDeletedRows: 0n }] = await tx
      .deleteFrom('trusted_issuers')
      .where('issuer', '=', issuer)
      .execute();
    return numDeletedRows > 0n;
  },
);

export const issuerTransactions: readonly TransactionDefinition<never, unknown>[] = [putIssuer, deleteIssuer];
