import { randomUUID } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { IdentityRow } from '../../platform/database/index.ts';
import { describeAssignment } from './assign-roles.ts';
import { type DirectoryContext, missing, requireIdentity, requireOwnIdentity, timeText } from './directory-context.ts';
import { describeSecret } from './manage-secrets.ts';
import { parseIdentityName } from './model.ts';
import { assignmentsOf, credentialsOf, secretsOf } from './queries.ts';
import { createIdentity, deleteIdentity, enableIdentity } from './transactions.ts';
import { describeCredential } from './trust-tokens.ts';

/** @throws INVALID_PARAMETER, NAME_IN_USE */
export async function addIdentity({ database, clock }: DirectoryContext, name: string): Promise<unknown> {
  const identity: IdentityRow = {
    id: randomUUID(),
    client_id: randomUUID(),
    name: parseIdentityName(name),
    is_enabled: 1,
    created_at: clock.now(),
  };
  if ((await database.write(createIdentity, identity)) === 'taken')
    throw new RegistryError('NAME_IN_USE', { message: `there is an identity "${identity.name}" already` });
  return describeIdentity(identity);
}

/** @throws NOT_FOUND */
export async function showIdentity(context: DirectoryContext, name: string): Promise<unknown> {
  const identity = await requireIdentity(context, name);
  const { read } = context.database;
  return {
    ...describeIdentity(identity),
    secrets: (await secretsOf(read, identity.id)).map(describeSecret),
    federatedCredentials: (await credentialsOf(read, identity.id)).map(describeCredential),
    roles: (await assignmentsOf(read, identity.id)).map(describeAssignment),
  };
}

/** @throws NOT_FOUND, HOME_REGION_ONLY */
export async function setEnabled(context: DirectoryContext, name: string, isEnabled: boolean): Promise<unknown> {
  const identity = await requireOwnIdentity(context, name);
  await context.database.write(enableIdentity, { id: identity.id, isEnabled });
  context.onChange(identity.id);
  return describeIdentity({ ...identity, is_enabled: isEnabled ? 1 : 0 });
}

/** @throws NOT_FOUND, CONFLICT, HOME_REGION_ONLY */
export async function removeIdentity(context: DirectoryContext, name: string): Promise<void> {
  const { id } = await requireOwnIdentity(context, name);
  const outcome = await context.database.write(deleteIdentity, { id });
  context.onChange(id);
  if (outcome === 'owner')
    throw new RegistryError('CONFLICT', { message: 'this identity owns the deployment; disable it instead' });
  if (outcome === 'gone') throw missing('the identity was deleted meanwhile');
}

export function describeIdentity({ id, client_id, name, is_enabled, created_at }: IdentityRow): object {
  return { id, clientId: client_id, name, isEnabled: is_enabled === 1, createdAt: timeText(created_at) };
}
