import type { RegistrySettings } from '@berth/api';
import type { WriteQueries } from '../../platform/database/index.ts';

type IdentitySettings = RegistrySettings['identities'][number];

export interface DirectoryToApply extends Pick<RegistrySettings, 'issuers'> {
  readonly registryId: number;
  /** The registry's id in the resource manager here, in lower case. */
  readonly scope: string;
  readonly identities: readonly (Omit<IdentitySettings, 'roles'> & {
    readonly roles: readonly (IdentitySettings['roles'][number] & { readonly scope: string })[];
  })[];
}

/**
 * Who has a role at the registry: those of the home region alone, and whoever has one at the group or the subscription here.
 * Identities and issuers that were made here are never touched; those that came with settings go when no replica's settings
 * name them any more.
 */
export async function applyDirectory(tx: WriteQueries, input: DirectoryToApply): Promise<void> {
  const { registryId, scope } = input;
  await deleteRolesAt(tx, scope);
  const before = await cameWith(tx, registryId);
  await tx.deleteFrom('home_directory').where('registry_id', '=', registryId).execute();
  for (const identity of input.identities) {
    // Both regions may be home of something: one that was made here is known here, and only its roles come.
    const isMadeHere = await isOurs(tx, { kind: 'identity', subject: identity.id, before });
    if (!isMadeHere && !(await putIdentity(tx, identity))) continue;
    await putRoles(tx, identity);
    if (!isMadeHere)
      await tx.insertInto('home_directory').values({ registry_id: registryId, kind: 'identity', subject: identity.id }).execute();
  }
  for (const { issuer, jwks, createdAt } of input.issuers) {
    if (await isOurs(tx, { kind: 'issuer', subject: issuer, before })) continue;
    await tx
      .insertInto('trusted_issuers')
      .values({ issuer, jwks, created_at: createdAt })
      .onConflict((conflict) => conflict.column('issuer').doUpdateSet({ jwks }))
      .execute();
    await tx.insertInto('home_directory').values({ registry_id: registryId, kind: 'issuer', subject: issuer }).execute();
  }
  await dropUnnamed(tx, before);
}

/** Takes away what came with a registry's settings, and every role at it. */
export async function leaveDirectory(
  tx: WriteQueries,
  { registryId, scope }: { readonly registryId: number; readonly scope: string },
): Promise<void> {
  await deleteRolesAt(tx, scope);
  const before = await cameWith(tx, registryId);
  await tx.deleteFrom('home_directory').where('registry_id', '=', registryId).execute();
  await dropUnnamed(tx, before);
}

type ToldIdentity = DirectoryToApply['identities'][number];

interface Subject {
  readonly kind: 'identity' | 'issuer';
  readonly subject: string;
}

function cameWith(tx: WriteQueries, registryId: number): Promise<Subject[]> {
  return tx.selectFrom('home_directory').select(['kind', 'subject']).where('registry_id', '=', registryId).execute();
}

async function deleteRolesAt(tx: WriteQueries, scope: string): Promise<void> {
  await tx
    .deleteFrom('role_assignments')
    // What is below begins with the id and a slash; the next character after a slash is 0.
    .where((eb) => eb.or([eb('scope', '=', scope), eb.and([eb('scope', '>=', `${scope}/`), eb('scope', '<', `${scope}0`)])]))
    .execute();
}

/** It is here, and did not come with settings. */
async function isOurs(
  tx: WriteQueries,
  { kind, subject, before }: Subject & { readonly before: readonly Subject[] },
): Promise<boolean> {
  if (before.some((each) => each.kind === kind && each.subject === subject)) return false;
  if (await isNamed(tx, { kind, subject })) return false;
  const found =
    kind === 'identity'
      ? await tx.selectFrom('identities').select('id').where('id', '=', subject).executeTakeFirst()
      : await tx.selectFrom('trusted_issuers').select('issuer').where('issuer', '=', subject).executeTakeFirst();
  return found !== undefined;
}

async function isNamed(tx: WriteQueries, { kind, subject }: Subject): Promise<boolean> {
  const row = await tx
    .selectFrom('home_directory')
    .select('subject')
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

async function dropUnnamed(tx: WriteQueries, before: readonly Subject[]): Promise<void> {
  for (const each of before) {
    if (await isNamed(tx, each)) continue;
    if (each.kind === 'identity') await tx.deleteFrom('identities').where('id', '=', each.subject).execute();
    else await tx.deleteFrom('trusted_issuers').where('issuer', '=', each.subject).execute();
  }
}

/** False: an identity of this region has its client id, by which it signs in. */
async function putIdentity(tx: WriteQueries, identity: ToldIdentity): Promise<boolean> {
  const { id, clientId, isEnabled, createdAt } = identity;
  const others = await tx
    .selectFrom('identities')
    .select(['client_id', 'name'])
    .where('id', '!=', id)
    .where((eb) => eb.or([eb('client_id', '=', clientId), eb('name', '=', identity.name)]))
    .execute();
  if (others.some((other) => other.client_id === clientId)) return false;
  const name = others.length > 0 ? `${identity.name} ${id.slice(0, 8)}` : identity.name;
  const row = { client_id: clientId, name, is_enabled: isEnabled ? 1 : 0 };
  await tx
    .insertInto('identities')
    .values({ id, ...row, created_at: createdAt })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
  await tx.deleteFrom('identity_secrets').where('identity_id', '=', id).execute();
  await tx.deleteFrom('federated_credentials').where('identity_id', '=', id).execute();
  for (const secret of identity.secrets)
    await tx
      .insertInto('identity_secrets')
      .values({
        id: secret.id,
        identity_id: id,
        verifier: secret.verifier,
        created_at: secret.createdAt,
        expires_at: secret.expiresAt,
      })
      .execute();
  for (const { createdAt: created_at, ...credential } of identity.credentials)
    await tx
      .insertInto('federated_credentials')
      .values({ ...credential, identity_id: id, created_at })
      .execute();
  return true;
}

async function putRoles(tx: WriteQueries, { id, roles }: ToldIdentity): Promise<void> {
  for (const role of roles)
    await tx
      .insertInto('role_assignments')
      .values({
        id: role.id,
        scope: role.scope,
        role_id: role.roleId,
        identity_id: id,
        condition: role.condition,
        created_at: role.createdAt,
      })
      .execute();
}
