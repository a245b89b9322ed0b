import { defineTransaction } from '../platform/database/index.ts';

/** The built-in role that may everything (acr-api 2.7). */
const ownerRole = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635';

export interface NewOwner {
  readonly identityId: string;
  readonly clientId: string;
  readonly secretId: string;
  readonly verifier: string;
  readonly assignmentId: string;
  readonly scope: string;
  readonly now: number;
}

/** Makes the identity `owner` with one secret and the role Owner, unless another process has made it. */
export const createOwner = defineTransaction('access.create-owner', async (tx, input: NewOwner): Promise<boolean> => {
  const claimed = await tx
    .updateTable('deployment')
    .set({ owner_identity_id: input.identityId })
    .where('id', '=', 1)
    .where('owner_identity_id', 'is', null)
    .returning('id')
    .execute();
  if (claimed.length === 0) return false;
  const created_at = input.now;
  await tx
    .insertInto('identities')
    .values({ id: input.identityId, client_id: input.clientId, name: 'owner', is_enabled: 1, created_at })
    .execute();
  await tx
    .insertInto('identity_secrets')
    .values({ id: input.secretId, identity_id: input.identityId, verifier: input.verifier, created_at, expires_at: null })
    .execute();
  await tx
    .insertInto('role_assignments')
    .values({
      id: input.assignmentId,
      scope: input.scope.toLowerCase(),
      role_id: ownerRole,
      identity_id: input.identityId,
      condition: null,
      created_at,
    })
    .execute();
  return true;
});
