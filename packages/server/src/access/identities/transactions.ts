import type { FederatedCredentialRow, IdentityRow, IdentitySecretRow, RoleAssignmentRow } from '../../platform/database/index.ts';
import { type TransactionDefinition, defineTransaction, lockRows } from '../../platform/database/index.ts';

/** Per identity. */
const maxSecrets = 20;
const maxCredentials = 20;
const maxAssignments = 100;
/** A token is compared with every credential of its issuer. */
const maxCredentialsOfIssuer = 1000;

/** `gone`: the identity was deleted meanwhile. `full`: there are as many as there may be. */
export type Added = 'added' | 'replaced' | 'unchanged' | 'taken' | 'gone' | 'full';

export const createIdentity = defineTransaction(
  'access.create-identity',
  async (tx, identity: IdentityRow): Promise<'added' | 'taken'> => {
    const made = await tx
      .insertInto('identities')
      .values(identity)
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('id')
      .execute();
    return made.length === 1 ? 'added' : 'taken';
  },
);

/** Its secrets, federated credentials and roles go with it. `owner`: it owns the deployment and stays. */
export const deleteIdentity = defineTransaction(
  'access.delete-identity',
  async (tx, { id }: { readonly id: string }): Promise<'deleted' | 'owner' | 'gone'> => {
    const deployment = await tx.selectFrom('deployment').select('owner_identity_id').executeTakeFirst();
    if (deployment?.owner_identity_id === id) return 'owner';
    const [{ numDeletedRows } = { numDeletedRows: 0n }] = await tx.deleteFrom('identities').where('id', '=', id).execute();
    return numDeletedRows > 0n ? 'deleted' : 'gone';
  },
);

export const enableIdentity = defineTransaction(
  'access.enable-identity',
  async (tx, { id, isEnabled }: { readonly id: string; readonly isEnabled: boolean }): Promise<void> => {
    await tx
      .updateTable('identities')
      .set({ is_enabled: isEnabled ? 1 : 0 })
      .where('id', '=', id)
      .execute();
  },
);

export const addSecret = defineTransaction('access.add-secret', async (tx, secret: IdentitySecretRow): Promise<Added> => {
  const identity = await lockRows(
    tx.selectFrom('identities').select('id').where('id', '=', secret.identity_id),
  ).executeTakeFirst();
  if (identity === undefined) return 'gone';
  const known = await tx.selectFrom('identity_secrets').select('id').where('identity_id', '=', identity.id).execute();
  if (known.length >= maxSecrets) return 'full';
  await tx.insertInto('identity_secrets').values(secret).execute();
  return 'added';
});

export const deleteSecret = defineTransaction(
  'access.delete-secret',
  async (tx, { identityId, id }: { readonly identityId: string; readonly id: string }): Promise<boolean> => {
    const [{ numDeletedRows } = { numDeletedRows: 0n }] = await tx
      .deleteFrom('identity_secrets')
      .where('identity_id', '=', identityId)
      .where('id', '=', id)
      .execute();
    return numDeletedRows > 0n;
  },
);

/** A rule that changes takes another id: what was signed in by the one before ends (attack 22). */
export const putCredential = defineTransaction(
  'access.put-credential',
  async (tx, credential: FederatedCredentialRow): Promise<Added> => {
    const { identity_id, name, issuer } = credential;
    const identity = await lockRows(tx.selectFrom('identities').select('id').where('id', '=', identity_id)).executeTakeFirst();
    if (identity === undefined) return 'gone';
    const mine = await tx.selectFrom('federated_credentials').selectAll().where('identity_id', '=', identity_id).execute();
    const before = mine.find((each) => each.name === name);
    const isSame = (key: 'issuer' | 'audiences' | 'claims'): boolean => before?.[key] === credential[key];
    if (isSame('issuer') && isSame('audiences') && isSame('claims')) return 'unchanged';
    const others = await tx
      .selectFrom('federated_credentials')
      .select('id')
      .where('issuer', '=', issuer)
      .limit(maxCredentialsOfIssuer)
      .execute();
    if (before === undefined && mine.length >= maxCredentials) return 'full';
    if (before?.issuer !== issuer && others.length >= maxCredentialsOfIssuer) return 'full';
    if (before !== undefined) await tx.deleteFrom('federated_credentials').where('id', '=', before.id).execute();
    await tx.insertInto('federated_credentials').values(credential).execute();
    return before === undefined ? 'added' : 'replaced';
  },
);

export const deleteCredential = defineTransaction(
  'access.delete-credential',
  async (tx, { identityId, name }: { readonly identityId: string; readonly name: string }): Promise<boolean> => {
    const [{ numDeletedRows } = { numDeletedRows: 0n }] = await tx
      .deleteFrom('federated_credentials')
      .where('identity_id', '=', identityId)
      .where('name', '=', name)
      .execute();
    return numDeletedRows > 0n;
  },
);

/** `taken`: another identity has an assignment of this id. */
export const putAssignment = defineTransaction(
  'access.put-assignment',
  async (tx, assignment: RoleAssignmentRow): Promise<Added> => {
    const { id, identity_id } = assignment;
    const identity = await lockRows(tx.selectFrom('identities').select('id').where('id', '=', identity_id)).executeTakeFirst();
    if (identity === undefined) return 'gone';
    const before = await tx.selectFrom('role_assignments').select('identity_id').where('id', '=', id).executeTakeFirst();
    if (before !== undefined && before.identity_id !== identity_id) return 'taken';
    const mine = await tx.selectFrom('role_assignments').select('id').where('identity_id', '=', identity_id).execute();
    if (before === undefined && mine.length >= maxAssignments) return 'full';
    await tx.deleteFrom('role_assignments').where('id', '=', id).execute();
    await tx.insertInto('role_assignments').values(assignment).execute();
    return before === undefined ? 'added' : 'replaced';
  },
);

export const deleteAssignment = defineTransaction(
  'access.delete-assignment',
  async (tx, { identityId, id }: { readonly identityId: string; readonly id: string }): Promise<boolean> => {
    const [{ numDeletedRows } = { numDeletedRows: 0n }] = await tx
      .deleteFrom('role_assignments')
      .where('identity_id', '=', identityId)
      .where('id', '=', id)
      .execute();
    return numDeletedRows > 0n;
  },
);

export const identityTransactions: readonly TransactionDefinition<never, unknown>[] = [
  createIdentity,
  deleteIdentity,
  enableIdentity,
  addSecret,
  deleteSecret,
  putCredential,
  deleteCredential,
  putAssignment,
  deleteAssignment,
];
