import type { RegistrySettings } from '@berth/api';
import { type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import { type DirectoryToApply, applyDirectory } from './apply-directory.ts';
import { flowingKinds } from './export-settings.ts';
import type { SealedHomeKeys } from './home-keys.ts';

type AdminSettings = NonNullable<RegistrySettings['admin']>;

export interface ApplySettings
  extends Pick<RegistrySettings, 'registry' | 'resources' | 'cleanupRules' | 'purgeSchedules'>,
    DirectoryToApply {
  readonly home: string;
  readonly version: string;
  readonly now: number;
  readonly admin:
    | (Omit<AdminSettings, 'passwords'> & {
        readonly passwords: readonly (Omit<AdminSettings['passwords'][number], 'value'> & {
          readonly sealed: Uint8Array | null;
          readonly dataKeyId: string | null;
        })[];
      })
    | null;
  readonly homeKeys: SealedHomeKeys;
}

/**
 * Takes over the settings of the home region as a whole. What it does not name is gone afterwards; rows that stay keep their
 * ids. `gone`: the registry is no replica of that region any more.
 */
export const applySettings = defineTransaction(
  'replication.apply-settings',
  async (tx, input: ApplySettings): Promise<'applied' | 'gone'> => {
    const { registryId, registry } = input;
    const before = await lockRows(
      tx.selectFrom('registries').select(['home_region', 'version']).where('id', '=', registryId).where('deleted_at', 'is', null),
    ).executeTakeFirst();
    if (before?.home_region !== input.home) return 'gone';
    await tx
      .updateTable('registries')
      .set({
        plan: registry.plan,
        anonymous_pull: registry.isAnonymousPullEnabled ? 1 : 0,
        location: registry.location,
        tags: registry.tags,
        properties: registry.properties,
        created_at: registry.createdAt,
        created_by: registry.createdBy,
        updated_at: registry.updatedAt,
        updated_by: registry.updatedBy,
        settings_version: input.version,
        version: before.version + 1,
      })
      .where('id', '=', registryId)
      .execute();
    await applyResources(tx, input);
    await applyAdmin(tx, input);
    await applyCleanup(tx, input);
    await applyDirectory(tx, input);
    const row = { data_key_id: input.homeKeys.dataKeyId, sealed: input.homeKeys.sealed };
    await tx
      .insertInto('home_keys')
      .values({ registry_id: registryId, ...row })
      .onConflict((conflict) => conflict.column('registry_id').doUpdateSet(row))
      .execute();
    return 'applied';
  },
);

async function applyResources(tx: WriteQueries, { registryId, resources }: ApplySettings): Promise<void> {
  const known = await tx
    .selectFrom('resources')
    .select(['id', 'kind', 'name_key'])
    .where('registry_id', '=', registryId)
    .where('kind', 'in', flowingKinds)
    .execute();
  const isNamed = ({ kind, name_key }: (typeof known)[number]): boolean =>
    resources.some((each) => each.kind === kind && each.name.toLowerCase() === name_key);
  for (const row of known) if (!isNamed(row)) await tx.deleteFrom('resources').where('id', '=', row.id).execute();
  for (const { kind, name, passwords, ...told } of resources) {
    const values = {
      name,
      location: told.location,
      tags: told.tags,
      properties: told.properties,
      created_at: told.createdAt,
      created_by: told.createdBy,
      updated_at: told.updatedAt,
      updated_by: told.updatedBy,
      version: told.version,
    };
    const { id } = await tx
      .insertInto('resources')
      .values({ registry_id: registryId, kind, name_key: name.toLowerCase(), ...values })
      .onConflict((conflict) => conflict.columns(['registry_id', 'kind', 'name_key']).doUpdateSet(values))
      .returning('id')
      .executeTakeFirstOrThrow();
    await tx.deleteFrom('token_passwords').where('resource_id', '=', id).execute();
    for (const { slot, verifier, createdAt, expiresAt } of passwords)
      await tx
        .insertInto('token_passwords')
        .values({ resource_id: id, slot, verifier, created_at: createdAt, expires_at: expiresAt })
        .execute();
  }
}

async function applyAdmin(tx: WriteQueries, { registryId, admin }: ApplySettings): Promise<void> {
  await tx.deleteFrom('admin_passwords').where('registry_id', '=', registryId).execute();
  if (admin === null) {
    await tx.deleteFrom('admin_users').where('registry_id', '=', registryId).execute();
    return;
  }
  const user = { username: admin.username, is_enabled: admin.isEnabled ? 1 : 0, generation: admin.generation };
  await tx
    .insertInto('admin_users')
    .values({ registry_id: registryId, ...user })
    .onConflict((conflict) => conflict.column('registry_id').doUpdateSet(user))
    .execute();
  for (const { slot, scheme, verifier, createdAt, sealed, dataKeyId } of admin.passwords)
    await tx
      .insertInto('admin_passwords')
      .values({
        registry_id: registryId,
        slot,
        scheme,
        verifier,
        created_at: createdAt,
        sealed_value: sealed,
        data_key_id: dataKeyId,
      })
      .execute();
}

async function applyCleanup(tx: WriteQueries, { registryId, cleanupRules, purgeSchedules }: ApplySettings): Promise<void> {
  await tx.deleteFrom('cleanup_rules').where('registry_id', '=', registryId).execute();
  for (const { name, definition, isEnabled, updatedAt } of cleanupRules)
    await tx
      .insertInto('cleanup_rules')
      .values({ registry_id: registryId, name, definition, is_enabled: isEnabled ? 1 : 0, updated_at: updatedAt })
      .execute();
  await tx.deleteFrom('purge_schedules').where('registry_id', '=', registryId).execute();
  for (const { name, schedule, request, updatedAt } of purgeSchedules)
    await tx
      .insertInto('purge_schedules')
      .values({
        registry_id: registryId,
        name,
        schedule,
        request,
        // Never due here: its home region runs it.
        next_at: null,
        held_until: null,
        last_at: null,
        last_result: null,
        updated_at: updatedAt,
      })
      .execute();
}
