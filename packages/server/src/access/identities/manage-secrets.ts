import { randomUUID } from 'node:crypto';
import type { IdentitySecretRow } from '../../platform/database/index.ts';
import { directoryId, generateSecret } from '../generated-passwords.ts';
import {
  type DirectoryContext,
  missing,
  requireAdded,
  requireIdentity,
  requireOwnIdentity,
  timeText,
} from './directory-context.ts';
import { parseExpiry } from './model.ts';
import { secretsOf } from './queries.ts';
import { addSecret, deleteSecret } from './transactions.ts';

/** A secret that nobody can read again. @throws NOT_FOUND, INVALID_PARAMETER, CONFLICT */
export async function makeSecret(context: DirectoryContext, name: string, expiresAt: string | undefined): Promise<unknown> {
  const { id: identity_id } = await requireOwnIdentity(context, name);
  const now = context.clock.now();
  const value = generateSecret();
  const row: IdentitySecretRow = {
    id: randomUUID(),
    identity_id,
    verifier: context.generated.verifierOf(directoryId, value),
    created_at: now,
    expires_at: parseExpiry(expiresAt, now),
  };
  requireAdded(await context.database.write(addSecret, row), 'a secret');
  context.onChange(identity_id);
  return { ...describeSecret(row), value };
}

/** @throws NOT_FOUND */
export async function showSecrets(context: DirectoryContext, name: string): Promise<unknown> {
  const { id } = await requireIdentity(context, name);
  return { secrets: (await secretsOf(context.database.read, id)).map(describeSecret) };
}

/** @throws NOT_FOUND */
export async function removeSecret(context: DirectoryContext, name: string, id: string): Promise<void> {
  const { id: identityId } = await requireOwnIdentity(context, name);
  const isDeleted = await context.database.write(deleteSecret, { identityId, id });
  context.onChange(identityId);
  if (!isDeleted) throw missing('the identity has no secret of this id');
}

export function describeSecret({
  id,
  created_at,
  expires_at,
}: Pick<IdentitySecretRow, 'id' | 'created_at' | 'expires_at'>): object {
  return { id, createdAt: timeText(created_at), expiresAt: expires_at === null ? null : timeText(expires_at) };
}
