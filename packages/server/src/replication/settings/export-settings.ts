import { createHash } from 'node:crypto';
import type { RegistrySettings } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import type { ReadQueries } from '../../platform/database/index.ts';
import type { KeyRing } from '../../platform/keys/index.ts';
import { SealBrokenError, openBytes } from '../../platform/sealing/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { portableProperties } from '../../webhooks/index.ts';
import { directoryOf } from './directory-of.ts';
import type { HomeKeys } from './home-keys.ts';

/** Kinds of children that flow; tasks and what belongs to them stay at home. */
export const flowingKinds = ['scopeMaps', 'tokens', 'webhooks', 'replications'] as const;

export interface ExportContext {
  readonly read: ReadQueries;
  readonly keys: KeyRing;
  /** By which the verifiers of this deployment are checked. */
  readonly verifierKeys: readonly { readonly id: string; readonly key: Buffer }[];
  /** What is known of the other regions that hold the registry. */
  readonly regions: HomeKeys['regions'];
}

/**
 * Everything of a registry that is written in its home region and holds in all: as one document, whose version is its hash. On
 * PostgreSQL its parts may be of different moments; then the next version puts it right. @throws NOT_FOUND when it is gone
 */
export async function exportSettings(
  context: ExportContext,
  registry: Registry,
): Promise<{ readonly version: string; readonly json: string }> {
  const { read, verifierKeys, regions } = context;
  const settings: RegistrySettings = {
    resourceId: registry.resourceId,
    registryId: registry.id,
    registry: await rowOf(read, registry),
    resources: await resourcesOf(context, registry.id),
    admin: await adminOf(context, registry.id),
    ...(await cleanupOf(read, registry.id)),
    ...(await directoryOf(read, registry.resourceId)),
    verifierKeys: verifierKeys.map(({ id, key }) => ({ id, key: key.toString('base64') })),
    regions: regions.map(({ name, loginServer, tokenKeys }) => ({ name, loginServer, tokenKeys: [...tokenKeys] })),
  };
  const json = JSON.stringify(settings);
  return { version: createHash('sha256').update(json).digest('base64url'), json };
}

async function rowOf(read: ReadQueries, { id, name }: Registry): Promise<RegistrySettings['registry']> {
  const row = await read
    .selectFrom('registries')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) throw new RegistryError('NOT_FOUND', { message: `the registry ${name} was deleted` });
  return {
    resourceGroup: row.resource_group,
    location: row.location,
    plan: row.plan,
    isAnonymousPullEnabled: row.anonymous_pull === 1,
    tags: row.tags,
    properties: row.properties,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
  };
}

async function resourcesOf({ read, keys }: ExportContext, registryId: number): Promise<RegistrySettings['resources']> {
  const rows = await read
    .selectFrom('resources')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('kind', 'in', flowingKinds)
    .orderBy('kind')
    .orderBy('name_key')
    .execute();
  const passwords = await read
    .selectFrom('token_passwords')
    .innerJoin('resources', 'resources.id', 'token_passwords.resource_id')
    .select(['resource_id', 'slot', 'verifier', 'token_passwords.created_at as created_at', 'expires_at'])
    .where('registry_id', '=', registryId)
    .orderBy('slot')
    .execute();
  return rows.map((row) => ({
    kind: row.kind,
    name: row.name,
    location: row.location,
    tags: row.tags,
    // Whom a webhook tells is sealed with keys of this region.
    properties: row.kind === 'webhooks' ? portableProperties(keys, registryId, row) : row.properties,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    version: row.version,
    passwords: passwords
      .filter(({ resource_id }) => resource_id === row.id)
      .map(({ slot, verifier, created_at, expires_at }) => ({ slot, verifier, createdAt: created_at, expiresAt: expires_at })),
  }));
}

async function adminOf({ read, keys }: ExportContext, registryId: number): Promise<RegistrySettings['admin']> {
  const user = await read.selectFrom('admin_users').selectAll().where('registry_id', '=', registryId).executeTakeFirst();
  if (user === undefined) return null;
  const passwords = await read
    .selectFrom('admin_passwords')
    .selectAll()
    .where('registry_id', '=', registryId)
    .orderBy('slot')
    .execute();
  return {
    username: user.username,
    isEnabled: user.is_enabled === 1,
    generation: user.generation,
    passwords: passwords.map(({ slot, scheme, verifier, created_at, sealed_value, data_key_id }) => ({
      slot,
      scheme,
      verifier,
      createdAt: created_at,
      value:
        sealed_value === null || data_key_id === null
          ? null
          : reveal(keys, { registryId, slot, keyId: data_key_id, sealed: sealed_value }),
    })),
  };
}

/** Null when it cannot be opened: the password works all the same, and cannot be shown. */
function reveal(
  keys: KeyRing,
  { registryId, slot, keyId, sealed }: { registryId: number; slot: string; keyId: string; sealed: Uint8Array },
): string | null {
  try {
    return openBytes(keys.get(registryId, keyId), adminPasswordSeal(registryId, slot), sealed).toString('utf8');
  } catch (error) {
    if (error instanceof SealBrokenError || error instanceof RegistryError) return null;
    throw error;
  }
}

/** The associated data of a sealed password, as `tables.ts` says. */
export function adminPasswordSeal(registryId: number, slot: string): string {
  return `admin-password:${registryId}:${slot}`;
}

async function cleanupOf(
  read: ReadQueries,
  registryId: number,
): Promise<Pick<RegistrySettings, 'cleanupRules' | 'purgeSchedules'>> {
  const rules = await read
    .selectFrom('cleanup_rules')
    .selectAll()
    .where('registry_id', '=', registryId)
    .orderBy('name')
    .execute();
  const schedules = await read
    .selectFrom('purge_schedules')
    .selectAll()
    .where('registry_id', '=', registryId)
    .orderBy('name')
    .execute();
  return {
    cleanupRules: rules.map(({ name, definition, is_enabled, updated_at }) => ({
      name,
      definition,
      isEnabled: is_enabled === 1,
      updatedAt: updated_at,
    })),
    purgeSchedules: schedules.map(({ name, schedule, request, updated_at }) => ({
      name,
      schedule,
      request,
      updatedAt: updated_at,
    })),
  };
}
