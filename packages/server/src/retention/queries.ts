import { sql } from 'kysely';
import { type ReadQueries, prepareRead } from '../platform/database/index.ts';
import type { ManifestItem, Position, RepositoryItem, TagItem } from './model.ts';

/** Rows of a page: what one look at the database costs at the most, since SQLite answers in the thread of the requests. */
export const pageSize = 200;

const isLocked = (table: string) =>
  sql<number>`1 - ${sql.ref(`${table}.delete_enabled`)} * ${sql.ref(`${table}.write_enabled`)}`.as('is_locked');

/** Listed repositories by name, beginning with `from`. */
export function repositoriesFrom(
  db: ReadQueries,
  { registryId, from, isAfter, limit }: { registryId: number; from: string; isAfter: boolean; limit: number },
): Promise<RepositoryItem[]> {
  return db
    .selectFrom('repositories')
    .select(['id', 'name', isLocked('repositories')])
    .where('registry_id', '=', registryId)
    .where('listed_at', 'is not', null)
    .where('deleted_at', 'is', null)
    .where('name', isAfter ? '>' : '>=', from)
    .orderBy('name')
    .limit(limit)
    .execute();
}

export interface ItemPage extends Record<string, unknown> {
  readonly repositoryId: number;
  /** The page begins after this position, with what is older. */
  readonly at: number;
  readonly name: string;
}

const tagPage = prepareRead<ItemPage, TagItem>((db, { repositoryId, at, name }) =>
  db
    .selectFrom('tags')
    .select(['name', 'manifest_id', 'updated_at', isLocked('tags')])
    .where('repository_id', '=', repositoryId)
    .where((eb) => eb(eb.refTuple('updated_at', 'name'), '<', eb.tuple(at, name)))
    .orderBy('updated_at', 'desc')
    .orderBy('name', 'desc')
    .limit(pageSize),
);

/** Newest first, along the index `tags_updated`. */
export function tagsBefore(db: ReadQueries, repositoryId: number, { at, name }: Position): Promise<TagItem[]> {
  return tagPage.all(db, { repositoryId, at, name });
}

function manifestItems(db: ReadQueries) {
  return db.selectFrom('manifests').select((eb) => [
    'manifests.id',
    'manifests.digest',
    'manifests.size_bytes',
    'manifests.updated_at',
    'manifests.untagged_at',
    'manifests.subject_digest',
    isLocked('manifests'),
    eb
      .case()
      .when(eb.exists(eb.selectFrom('tags').select('tags.name').whereRef('tags.manifest_id', '=', 'manifests.id')))
      .then(1)
      .else(0)
      .end()
      .as('is_tagged'),
    eb
      .case()
      .when(
        eb.exists(
          eb
            .selectFrom('manifest_children')
            .select('manifest_children.manifest_id')
            .whereRef('manifest_children.repository_id', '=', 'manifests.repository_id')
            .whereRef('manifest_children.child_digest', '=', 'manifests.digest'),
        ),
      )
      .then(1)
      .else(0)
      .end()
      .as('is_child'),
    eb
      .case()
      .when(
        eb.exists(
          eb
            .selectFrom('manifests as subject')
            .select('subject.id')
            .whereRef('subject.repository_id', '=', 'manifests.repository_id')
            .whereRef('subject.digest', '=', 'manifests.subject_digest'),
        ),
      )
      .then(1)
      .else(0)
      .end()
      .as('has_subject'),
  ]);
}

/** Newest first, along the index `manifests_updated`. Tagged ones too: to leave them out here could mean to read all of them. */
export function manifestsBefore(db: ReadQueries, repositoryId: number, { at, name }: Position): Promise<ManifestItem[]> {
  return manifestItems(db)
    .where('manifests.repository_id', '=', repositoryId)
    .where((eb) => eb(eb.refTuple('manifests.updated_at', 'manifests.digest'), '<', eb.tuple(at, name)))
    .orderBy('manifests.updated_at', 'desc')
    .orderBy('manifests.digest', 'desc')
    .limit(pageSize)
    .execute();
}

export function manifestByDigest(db: ReadQueries, repositoryId: number, digest: string): Promise<ManifestItem | undefined> {
  return manifestItems(db)
    .where('manifests.repository_id', '=', repositoryId)
    .where('manifests.digest', '=', digest)
    .executeTakeFirst();
}

/** Indexes that list a manifest. */
export function parentsOf(db: ReadQueries, repositoryId: number, digest: string, limit: number): Promise<ManifestItem[]> {
  return manifestItems(db)
    .innerJoin('manifest_children as listing', 'listing.manifest_id', 'manifests.id')
    .where('listing.repository_id', '=', repositoryId)
    .where('listing.child_digest', '=', digest)
    .limit(limit)
    .execute();
}

export function tagsOf(db: ReadQueries, manifestId: number, limit: number): Promise<TagItem[]> {
  return db
    .selectFrom('tags')
    .select(['name', 'manifest_id', 'updated_at', isLocked('tags')])
    .where('manifest_id', '=', manifestId)
    .limit(limit)
    .execute();
}

/** Bytes of manifests with all their blobs, by the manifest's id. */
export async function imageSizes(db: ReadQueries, manifestIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
  if (manifestIds.length === 0) return new Map();
  const manifests = await db.selectFrom('manifests').select(['id', 'size_bytes']).where('id', 'in', manifestIds).execute();
  const blobs = await db
    .selectFrom('manifest_blobs')
    .innerJoin('blobs', 'blobs.id', 'manifest_blobs.blob_id')
    .select(['manifest_blobs.manifest_id as id'])
    .select(({ fn }) => fn.sum<number | string>('blobs.size_bytes').as('size_bytes'))
    .where('manifest_blobs.manifest_id', 'in', manifestIds)
    .groupBy('manifest_blobs.manifest_id')
    .execute();
  const sizes = new Map(manifests.map((row) => [row.id, row.size_bytes]));
  for (const { id, size_bytes } of blobs) sizes.set(id, (sizes.get(id) ?? 0) + Number(size_bytes));
  return sizes;
}

export interface UntaggedPage {
  readonly registryId: number;
  /** Untagged at this time or later… */
  readonly since: number;
  /** …and at this time or earlier. */
  readonly until: number;
  readonly after: { readonly at: number; readonly id: number };
}

export interface UntaggedManifest extends ManifestItem {
  readonly repository: string;
  readonly at: number;
}

/**
 * Manifests that became untagged, longest ago first, along the index `manifests_untagged`: the cross join keeps SQLite from
 * reading every repository instead.
 */
export async function untaggedAfter(
  db: ReadQueries,
  { registryId, since, until, after }: UntaggedPage,
): Promise<UntaggedManifest[]> {
  return manifestItems(db)
    .crossJoin('repositories')
    .select(['repositories.name as repository'])
    .select((eb) => eb.ref('manifests.untagged_at').$notNull().as('at'))
    .whereRef('repositories.id', '=', 'manifests.repository_id')
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.deleted_at', 'is', null)
    .where('manifests.untagged_at', '>=', since)
    .where('manifests.untagged_at', '<=', until)
    .where((eb) => eb(eb.refTuple('manifests.untagged_at', 'manifests.id'), '>', eb.tuple(after.at, after.id)))
    .orderBy('manifests.untagged_at')
    .orderBy('manifests.id')
    .limit(pageSize)
    .execute();
}

export interface StoredRule {
  readonly name: string;
  readonly definition: string;
  readonly is_enabled: number;
  readonly updated_at: number;
}

export function storedRules(db: ReadQueries, registryId: number): Promise<StoredRule[]> {
  return db
    .selectFrom('cleanup_rules')
    .select(['name', 'definition', 'is_enabled', 'updated_at'])
    .where('registry_id', '=', registryId)
    .orderBy('name')
    .execute();
}

export function storedRule(db: ReadQueries, registryId: number, name: string): Promise<StoredRule | undefined> {
  return db
    .selectFrom('cleanup_rules')
    .select(['name', 'definition', 'is_enabled', 'updated_at'])
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .executeTakeFirst();
}
