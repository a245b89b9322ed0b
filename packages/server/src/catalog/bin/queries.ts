import type { DeletedManifestRow, ReadQueries } from '../../platform/database/index.ts';

interface NamesAfter {
  readonly registryId: number;
  readonly after: string;
  readonly limit: number;
}

/** Repositories of which something can be restored, by name. One look along an index for each, however much it holds. */
export async function binRepositoriesAfter(db: ReadQueries, { registryId, after, limit }: NamesAfter): Promise<string[]> {
  const names: string[] = [];
  for (let last = after; names.length < limit; ) {
    const next = [
      await nextIn(db, 'deleted_manifests', { registryId, last }),
      await nextIn(db, 'deleted_tags', { registryId, last }),
    ]
      .filter((name) => name !== undefined)
      .toSorted()[0];
    if (next === undefined) break;
    names.push(next);
    last = next;
  }
  return names;
}

async function nextIn(
  db: ReadQueries,
  table: 'deleted_manifests' | 'deleted_tags',
  { registryId, last }: { readonly registryId: number; readonly last: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom(table)
    .select('repository')
    .where('registry_id', '=', registryId)
    .where('repository', '>', last)
    .orderBy('repository')
    .limit(1)
    .executeTakeFirst();
  return row?.repository;
}

interface ItemsAfter extends NamesAfter {
  readonly repository: string;
}

export type BinManifest = Pick<DeletedManifestRow, 'digest' | 'media_type' | 'size_bytes' | 'pushed_at' | 'deleted_at'>;

export function binManifestsAfter(db: ReadQueries, { registryId, repository, after, limit }: ItemsAfter): Promise<BinManifest[]> {
  return db
    .selectFrom('deleted_manifests')
    .select(['digest', 'media_type', 'size_bytes', 'pushed_at', 'deleted_at'])
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '>', after)
    .orderBy('digest')
    .limit(limit)
    .execute();
}

export interface BinTag {
  readonly name: string;
  readonly digest: string;
  readonly deleted_at: number;
}

/** By name and digest: a name may have named several. `after`: `<name>@<digest>`, or a name. */
export function binTagsAfter(db: ReadQueries, { registryId, repository, after, limit }: ItemsAfter): Promise<BinTag[]> {
  const [name = '', digest = ''] = after.split('@');
  return db
    .selectFrom('deleted_tags')
    .select(['name', 'digest', 'deleted_at'])
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where((row) => row.or([row('name', '>', name), row.and([row('name', '=', name), row('digest', '>', digest)])]))
    .orderBy('name')
    .orderBy('digest')
    .limit(limit)
    .execute();
}

/** Tags that went with manifests, by digest. */
export async function tagsOfDeleted(
  db: ReadQueries,
  { registryId, repository }: { readonly registryId: number; readonly repository: string },
  digests: readonly string[],
): Promise<ReadonlyMap<string, string[]>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom('deleted_tags')
    .select(['name', 'digest'])
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', 'in', digests)
    .orderBy('name')
    .execute();
  const byDigest = Map.groupBy(rows, (row) => row.digest);
  return new Map([...byDigest].map(([digest, tags]) => [digest, tags.map((tag) => tag.name)]));
}
