import type { Selectable } from 'kysely';
import type { DeploymentRow, ReadQueries, WriteQueries } from '../platform/database/index.ts';
import type { RegistryRecord } from './model.ts';

export type Deployment = Omit<Selectable<DeploymentRow>, 'id' | 'region'>;

export function findDeployment(db: ReadQueries | WriteQueries): Promise<Deployment | undefined> {
  return db
    .selectFrom('deployment')
    .select(['tenant_id', 'subscription_id', 'owner_identity_id', 'created_at'])
    .where('id', '=', 1)
    .executeTakeFirst();
}

/** What this region was called at the last start. */
export async function findRegion(db: ReadQueries): Promise<string | undefined> {
  return (await db.selectFrom('deployment').select('region').where('id', '=', 1).executeTakeFirst())?.region;
}

/** Every registry that was not deleted, by name. */
export async function allRegistries(db: ReadQueries | WriteQueries): Promise<readonly RegistryRecord[]> {
  const rows = await registries(db).orderBy('name').execute();
  return rows.map(recordOf);
}

export async function findRegistry(db: ReadQueries | WriteQueries, name: string): Promise<RegistryRecord | undefined> {
  const row = await registries(db).where('name', '=', name.toLowerCase()).executeTakeFirst();
  return row && recordOf(row);
}

function registries(db: ReadQueries | WriteQueries) {
  return db.selectFrom('registries').selectAll().where('deleted_at', 'is', null);
}

type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof registries>['executeTakeFirst']>>>;

/** Texts of the database are ours, and JSON. */
function recordOf(row: Row): RegistryRecord {
  return {
    id: row.id,
    name: row.name,
    resourceGroup: row.resource_group,
    location: row.location,
    plan: row.plan,
    isAnonymousPullEnabled: row.anonymous_pull === 1,
    tags: JSON.parse(row.tags) as RegistryRecord['tags'],
    properties: JSON.parse(row.properties) as RegistryRecord['properties'],
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    version: row.version,
    homeRegion: row.home_region ?? undefined,
    isReplicated: row.is_replicated === 1,
  };
}
