import { sql } from 'kysely';
import { type ReadQueries, type WriteQueries, prepareRead } from '../platform/database/index.ts';
import type { Verdict } from './life.ts';

/** What it takes to open a manifest. */
export interface StoredManifest {
  readonly id: number;
  readonly digest: string;
  readonly media_type: string;
  readonly size_bytes: number;
}

/** A manifest without its bytes. */
export interface FoundManifest extends StoredManifest {
  /** 0 when the repository, the tag that was asked for or the manifest may not be read. */
  readonly is_readable: number;
  readonly quarantine_state: Verdict | null;
}

interface ByReference extends Record<string, unknown> {
  readonly registryId: number;
  readonly repository: string;
  readonly reference: string;
}

/** The hot path of the registry: one read from names to the row. */
const byTag = prepareRead<ByReference, FoundManifest>((db, { registryId, repository, reference }) =>
  db
    .selectFrom('repositories')
    .innerJoin('tags', 'tags.repository_id', 'repositories.id')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type', 'manifests.size_bytes', 'manifests.quarantine_state'])
    .select(
      sql<number>`${sql.ref('repositories.read_enabled')} * ${sql.ref('tags.read_enabled')} * ${sql.ref('manifests.read_enabled')}`.as(
        'is_readable',
      ),
    )
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.name', '=', repository)
    .where('repositories.deleted_at', 'is', null)
    .where('tags.name', '=', reference),
);

const byDigest = prepareRead<ByReference, FoundManifest>((db, { registryId, repository, reference }) =>
  db
    .selectFrom('repositories')
    .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type', 'manifests.size_bytes', 'manifests.quarantine_state'])
    .select(sql<number>`${sql.ref('repositories.read_enabled')} * ${sql.ref('manifests.read_enabled')}`.as('is_readable'))
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

interface SealedContent {
  readonly sealed_content: Uint8Array;
  readonly data_key_id: string;
}

const contentById = prepareRead<{ id: number }, SealedContent>((db, { id }) =>
  db.selectFrom('manifests').select(['sealed_content', 'data_key_id']).where('id', '=', id),
);

export function sealedContent(db: ReadQueries, id: number): Promise<SealedContent | undefined> {
  return contentById.first(db, { id });
}

interface NamePage extends Record<string, unknown> {
  /** The page begins after this name; '' is before all. */
  readonly after: string;
  readonly limit: number;
}

const tagPage = prepareRead<NamePage & { repositoryId: number }, { name: string }>((db, { repositoryId, after, limit }) =>
  db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('list_enabled', '=', 1)
    .where('name', '>', after)
    .orderBy('name')
    .limit(limit),
);

/** In ASCII order. */
export async function tagsAfter(
  db: ReadQueries | WriteQueries,
  page: NamePage & { readonly repositoryId: number },
): Promise<string[]> {
  return (await tagPage.all(db, page)).map((row) => row.name);
}

const repositoryPage = prepareRead<NamePage & { registryId: number }, { name: string }>((db, { registryId, after, limit }) =>
  db
    .selectFrom('repositories')
    .select('name')
    .where('registry_id', '=', registryId)
    .where('listed_at', 'is not', null)
    .where('deleted_at', 'is', null)
    .where('list_enabled', '=', 1)
    .where('name', '>', after)
    .orderBy('name')
    .limit(limit),
);

/** Listed repositories, in ASCII order, along the index `repositories_listed`. */
export async function repositoriesAfter(db: ReadQueries, page: NamePage & { readonly registryId: number }): Promise<string[]> {
  return (await repositoryPage.all(db, page)).map((row) => row.name);
}

export interface ReferrerRow {
  readonly id: number;
  readonly digest: string;
  readonly media_type: string;
  readonly artifact_type: string | null;
  readonly size_bytes: number;
  readonly data_key_id: string;
  /** Size of the sealed annotations; null when there are none. */
  readonly annotations_bytes: number | null;
}

export interface ReferrerPage {
  readonly repositoryId: number;
  readonly subject: string;
  /** Undefined: all; null: those that have none. */
  readonly artifactType: string | null | undefined;
  /** The page begins after this digest, whether or not it is in the list; '' is before all. */
  readonly after: string;
  readonly limit: number;
}

/** Manifests with a subject, by digest. Without their annotations: a page of those could be gigabytes. */
export function referrersAfter(db: ReadQueries, page: ReferrerPage): Promise<ReferrerRow[]> {
  let query = db
    .selectFrom('manifests')
    .select(['id', 'digest', 'media_type', 'artifact_type', 'size_bytes', 'data_key_id'])
    .select(({ fn }) => fn<number | null>('length', ['sealed_annotations']).as('annotations_bytes'))
    .where('repository_id', '=', page.repositoryId)
    .where('subject_digest', '=', page.subject)
    .where('list_enabled', '=', 1)
    .where('digest', '>', page.after);
  if (page.artifactType === null) query = query.where('artifact_type', 'is', null);
  else if (page.artifactType !== undefined) query = query.where('artifact_type', '=', page.artifactType);
  return query.orderBy('digest').limit(page.limit).execute();
}

const annotationsById = prepareRead<{ id: number }, { sealed_annotations: Uint8Array | null }>((db, { id }) =>
  db.selectFrom('manifests').select('sealed_annotations').where('id', '=', id),
);

/** Null also when the manifest is gone. */
export async function sealedAnnotations(db: ReadQueries, id: number): Promise<Uint8Array | null> {
  return (await annotationsById.first(db, { id }))?.sealed_annotations ?? null;
}
