import { type ReadQueries, prepareRead } from '../platform/database/index.ts';

/** A manifest without its bytes. */
export interface FoundManifest {
  readonly id: number;
  readonly digest: string;
  readonly media_type: string;
  readonly size_bytes: number;
}

interface ByReference extends Record<string, unknown> {
  readonly registryId: number;
  readonly repository: string;
  readonly reference: string;
}

const byTag = prepareRead<ByReference, FoundManifest>((db, { registryId, repository, reference }) =>
  db
    .selectFrom('repositories')
    .innerJoin('tags', 'tags.repository_id', 'repositories.id')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type', 'manifests.size_bytes'])
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.name', '=', repository)
    .where('repositories.deleted_at', 'is', null)
    .where('tags.name', '=', reference),
);

const byDigest = prepareRead<ByReference, FoundManifest>((db, { registryId, repository, reference }) =>
  db
    .selectFrom('repositories')
    .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type', 'manifests.size_bytes'])
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.name', '=', repository)
    .where('repositories.deleted_at', 'is', null)
    .where('manifests.digest', '=', reference),
);

export function findByTag(db: ReadQueries, reference: ByReference): Promise<FoundManifest | undefined> {
  return byTag.first(db, reference);
}

export function findByDigest(db: ReadQueries, reference: ByReference): Promise<FoundManifest | undefined> {
  return byDigest.first(db, reference);
}

export function sealedContent(db: ReadQueries, manifestId: number): Promise<{ sealed_content: Uint8Array; data_key_id: string } | undefined> {
  return db.selectFrom('manifests').select(['sealed_content', 'data_key_id']).where('id', '=', manifestId).executeTakeFirst();
}

const tagPage = prepareRead<{ repositoryId: number; after: string; limit: number }, { name: string }>((db, { repositoryId, after, limit }) =>
  db.selectFrom('tags').select('name').where('repository_id', '=', repositoryId).where('name', '>', after).orderBy('name').limit(limit),
);

/** Tags after a name, in ASCII order. */
export async function tagsAfter(db: ReadQueries, page: { repositoryId: number; after: string; limit: number }): Promise<string[]> {
  return (await tagPage.all(db, page)).map((row) => row.name);
}

const repositoryPage = prepareRead<{ registryId: number; after: string; limit: number }, { name: string }>((db, { registryId, after, limit }) =>
  db
    .selectFrom('repositories')
    .select('name')
    .where('registry_id', '=', registryId)
    .where('listed_at', 'is not', null)
    .where('deleted_at', 'is', null)
    .where('name', '>', after)
    .orderBy('name')
    .limit(limit),
);

/** Listed repositories after a name, in ASCII order. */
export async function repositoriesAfter(db: ReadQueries, page: { registryId: number; after: string; limit: number }): Promise<string[]> {
  return (await repositoryPage.all(db, page)).map((row) => row.name);
}

export interface ReferrerRow {
  readonly id: number;
  readonly digest: string;
  readonly media_type: string;
  readonly artifact_type: string | null;
  readonly size_bytes: number;
  readonly data_key_id: string;
  readonly sealed_annotations: Uint8Array | null;
}

/** Manifests with a subject, after one of them, in the order of their arrival. */
export function referrersAfter(
  db: ReadQueries,
  page: { readonly repositoryId: number; readonly subject: string; readonly artifactType: string | undefined; readonly afterId: number; readonly limit: number },
): Promise<ReferrerRow[]> {
  let query = db
    .selectFrom('manifests')
    .select(['id', 'digest', 'media_type', 'artifact_type', 'size_bytes', 'data_key_id', 'sealed_annotations'])
    .where('repository_id', '=', page.repositoryId)
    .where('subject_digest', '=', page.subject)
    .where('id', '>', page.afterId);
  if (page.artifactType !== undefined) query = query.where('artifact_type', '=', page.artifactType);
  return query.orderBy('id').limit(page.limit).execute();
}

/** The place of a referrer in its list; undefined when it is gone. */
export async function referrerId(db: ReadQueries, repositoryId: number, digest: string): Promise<number | undefined> {
  const row = await db.selectFrom('manifests').select('id').where('repository_id', '=', repositoryId).where('digest', '=', digest).executeTakeFirst();
  return row?.id;
}
