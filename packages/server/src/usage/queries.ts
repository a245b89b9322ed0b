import type { ReadQueries } from '../platform/database/index.ts';

/**
 * When tags or manifests of a repository were last pulled, by name or digest; without those that never were. A tag counts as
 * pulled when what it names was, too: containerd asks for the digest of a tag and then pulls that.
 */
export async function lastPullsOf(
  db: ReadQueries,
  repositoryId: number,
  of: { readonly tags: readonly string[] } | { readonly digests: readonly string[] },
): Promise<Map<string, number>> {
  if (('tags' in of ? of.tags : of.digests).length === 0) return new Map();
  const rows = await ('tags' in of ? pullsOfTags(db, repositoryId, of.tags) : pullsOfManifests(db, repositoryId, of.digests));
  return new Map(
    rows.flatMap(({ name, own, other }) => (own === null && other === null ? [] : [[name, Math.max(own ?? 0, other ?? 0)]])),
  );
}

interface Pulls {
  readonly name: string;
  readonly own: number | null;
  readonly other: number | null;
}

function pullsOfTags(db: ReadQueries, repositoryId: number, names: readonly string[]): Promise<Pulls[]> {
  return db
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['tags.name as name', 'tags.last_pulled_at as own', 'manifests.last_pulled_at as other'])
    .where('tags.repository_id', '=', repositoryId)
    .where('tags.name', 'in', names)
    .execute();
}

async function pullsOfManifests(db: ReadQueries, repositoryId: number, digests: readonly string[]): Promise<Pulls[]> {
  const rows = await db
    .selectFrom('manifests')
    .select(['digest as name', 'last_pulled_at as own'])
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute();
  return rows.map((row) => ({ ...row, other: null }));
}

export interface Traffic {
  readonly pulls: number;
  readonly pushes: number;
}

/** What a registry served since an hour, counted from the Unix epoch. */
export async function trafficSince(db: ReadQueries, registryId: number, hour: number): Promise<Traffic> {
  const row = await db
    .selectFrom('usage_hours')
    .select(({ fn }) => [
      fn.sum<number | string | null>('pulls').as('pulls'),
      fn.sum<number | string | null>('pushes').as('pushes'),
    ])
    .where('registry_id', '=', registryId)
    .where('hour', '>=', hour)
    .executeTakeFirst();
  return { pulls: Number(row?.pulls ?? 0), pushes: Number(row?.pushes ?? 0) };
}
