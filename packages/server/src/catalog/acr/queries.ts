import type { ReadQueries } from '../../platform/database/index.ts';
import { type AttributeFlags, attributeColumns } from '../../repositories/index.ts';
import type { Verdict } from '../life.ts';

/** Which entries come first; a time is that of the last update (ms). */
export type Order = 'lexical' | 'timedesc' | 'timeasc';

/** The page begins after this entry. */
export interface Cursor {
  readonly name: string;
  /** Of the entry when the page before was made; it may have changed or gone since. */
  readonly at: number;
}

export interface OrderedPage {
  readonly repositoryId: number;
  readonly order: Order;
  readonly after: Cursor | undefined;
  readonly limit: number;
}

export interface RepositoryFacts extends AttributeFlags {
  readonly id: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly manifest_count: number;
  readonly tag_count: number;
}

export function findRepositoryFacts(db: ReadQueries, registryId: number, name: string): Promise<RepositoryFacts | undefined> {
  return db
    .selectFrom('repositories')
    .select(['id', 'created_at', 'updated_at', 'manifest_count', 'tag_count', ...attributeColumns])
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .where('listed_at', 'is not', null)
    .executeTakeFirst();
}

export interface TagFacts extends AttributeFlags {
  readonly name: string;
  readonly digest: string;
  readonly created_at: number;
  readonly updated_at: number;
  /** 1 when the manifest has a signature among its referrers. */
  readonly is_signed: number;
}

const signatureTypes = ['application/vnd.cncf.notary.signature', 'application/vnd.dev.cosign.artifact.sig.v1+json'];

function tagFacts(db: ReadQueries, repositoryId: number) {
  return db
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['tags.name', 'manifests.digest', 'tags.created_at', 'tags.updated_at'])
    .select(['tags.delete_enabled', 'tags.write_enabled', 'tags.list_enabled', 'tags.read_enabled'])
    .select((eb) =>
      eb
        .case()
        .when(
          eb.exists(
            eb
              .selectFrom('manifests as signature')
              .select('signature.id')
              .where('signature.repository_id', '=', repositoryId)
              .whereRef('signature.subject_digest', '=', 'manifests.digest')
              .where('signature.artifact_type', 'in', signatureTypes),
          ),
        )
        .then(1)
        .else(0)
        .end()
        .as('is_signed'),
    );
}

export function findTagFacts(db: ReadQueries, repositoryId: number, tag: string): Promise<TagFacts | undefined> {
  const query = tagFacts(db, repositoryId).where('tags.repository_id', '=', repositoryId);
  return query.where('tags.name', '=', tag).executeTakeFirst();
}

/** Listed tags of a repository, or of one of its manifests. */
export function tagFactsAfter(
  db: ReadQueries,
  page: OrderedPage & { readonly manifestId: number | undefined },
): Promise<TagFacts[]> {
  const { repositoryId, order, after, limit, manifestId } = page;
  let query = tagFacts(db, repositoryId).where('tags.list_enabled', '=', 1).limit(limit);
  // With both conditions SQLite may take the index of the repository and read all its tags.
  query =
    manifestId === undefined
      ? query.where('tags.repository_id', '=', repositoryId)
      : query.where('tags.manifest_id', '=', manifestId);
  if (order === 'lexical') {
    if (after !== undefined) query = query.where('tags.name', '>', after.name);
    return query.orderBy('tags.name').execute();
  }
  const [beyond, direction] = order === 'timedesc' ? (['<', 'desc'] as const) : (['>', 'asc'] as const);
  if (after !== undefined)
    query = query.where((eb) => eb(eb.refTuple('tags.updated_at', 'tags.name'), beyond, eb.tuple(after.at, after.name)));
  return query.orderBy('tags.updated_at', direction).orderBy('tags.name', direction).execute();
}

export interface ManifestRecord extends AttributeFlags {
  readonly id: number;
  readonly digest: string;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly pushed_at: number;
  readonly updated_at: number;
  readonly quarantine_state: Verdict | null;
  readonly quarantine_details: string | null;
}

function manifestRecords(db: ReadQueries, repositoryId: number) {
  return db
    .selectFrom('manifests')
    .select(['id', 'digest', 'media_type', 'size_bytes', 'pushed_at', 'updated_at', ...attributeColumns])
    .select(['quarantine_state', 'quarantine_details'])
    .where('repository_id', '=', repositoryId);
}

export function findManifestRecord(db: ReadQueries, repositoryId: number, digest: string): Promise<ManifestRecord | undefined> {
  return manifestRecords(db, repositoryId).where('digest', '=', digest).executeTakeFirst();
}

/** Listed manifests. */
export function manifestRecordsAfter(
  db: ReadQueries,
  { repositoryId, order, after, limit }: OrderedPage,
): Promise<ManifestRecord[]> {
  let query = manifestRecords(db, repositoryId).where('list_enabled', '=', 1).limit(limit);
  if (order === 'lexical') {
    if (after !== undefined) query = query.where('digest', '>', after.name);
    return query.orderBy('digest').execute();
  }
  const [beyond, direction] = order === 'timedesc' ? (['<', 'desc'] as const) : (['>', 'asc'] as const);
  if (after !== undefined)
    query = query.where((eb) => eb(eb.refTuple('updated_at', 'digest'), beyond, eb.tuple(after.at, after.name)));
  return query.orderBy('updated_at', direction).orderBy('digest', direction).execute();
}

/** Listed tags of manifests, by manifest, at most `limit` of each. */
export async function tagsOfManifests(
  db: ReadQueries,
  manifestIds: readonly number[],
  limit: number,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const tags = new Map<number, readonly string[]>();
  for (const id of manifestIds) {
    const rows = await db
      .selectFrom('tags')
      .select('name')
      .where('manifest_id', '=', id)
      .where('list_enabled', '=', 1)
      .orderBy('name')
      .limit(limit)
      .execute();
    tags.set(
      id,
      rows.map((row) => row.name),
    );
  }
  return tags;
}
