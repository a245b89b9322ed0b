import type { ReadQueries } from '../platform/database/index.ts';

/** When tags or manifests of a repository were last pulled, by name or digest; without those that never were. */
export async function lastPullsOf(
  db: ReadQueries,
  repositoryId: number,
  of: { readonly tags: readonly string[] } | { readonly digests: readonly string[] },
): Promise<Map<string, number>> {
  const [names, rows] =
    'tags' in of
      ? [
          of.tags,
          db
            .selectFrom('tags')
            .select(['name', 'last_pulled_at'])
            .where('repository_id', '=', repositoryId)
            .where('name', 'in', of.tags),
        ]
      : [
          of.digests,
          db
            .selectFrom('manifests')
            .select(['digest as name', 'last_pulled_at'])
            .where('repository_id', '=', repositoryId)
            .where('digest', 'in', of.digests),
        ];
  if (names.length === 0) return new Map();
  const found = await rows.execute();
  return new Map(found.flatMap(({ name, last_pulled_at }) => (last_pulled_at === null ? [] : [[name, last_pulled_at]])));
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
