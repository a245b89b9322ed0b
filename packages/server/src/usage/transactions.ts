import { sql } from 'kysely';
import { type LocalChange, recordChanges } from '../changes/index.ts';
import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../platform/database/index.ts';

export interface ManifestPulls {
  readonly id: number;
  readonly count: number;
  /** The last one (ms). */
  readonly at: number;
}

export interface TagPulls {
  readonly registryId: number;
  readonly repository: string;
  readonly tag: string;
  readonly at: number;
}

export interface HourUsage {
  readonly registryId: number;
  readonly hour: number;
  readonly pulls: number;
  readonly pushes: number;
}

export interface RecordUsage {
  readonly manifests: readonly ManifestPulls[];
  readonly tags: readonly TagPulls[];
  readonly hours: readonly HourUsage[];
}

/** Writes counted pulls and pushes. Of what is gone meanwhile nothing is kept. In one order, so that two wait in turn. */
export const recordUsage = defineTransaction(
  'usage.record',
  async (tx, { manifests, tags, hours }: RecordUsage): Promise<void> => {
    const told = await pullsToTell(tx, manifests);
    for (const { id, count, at } of manifests.toSorted((a, b) => a.id - b.id)) {
      await tx
        .updateTable('manifests')
        .set((eb) => ({
          // Another region may have told of a later one.
          last_pulled_at: sql<number>`case when last_pulled_at > ${at} then last_pulled_at else ${at} end`,
          pull_count: eb('pull_count', '+', count),
        }))
        .where('id', '=', id)
        .execute();
    }
    for (const pull of tags.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) await recordTag(tx, pull);
    for (const { registryId, hour, pulls, pushes } of hours) {
      await tx
        .insertInto('usage_hours')
        .values({ registry_id: registryId, hour, pulls, pushes })
        .onConflict((conflict) =>
          conflict
            .columns(['registry_id', 'hour'])
            .doUpdateSet((eb) => ({ pulls: eb('usage_hours.pulls', '+', pulls), pushes: eb('usage_hours.pushes', '+', pushes) })),
        )
        .execute();
    }
    for (const [registryId, changes] of told)
      await recordChanges(tx, { registryId, changes, now: Math.max(...changes.map(({ pulledAt }) => pulledAt)) });
  },
);

const hourMs = 3_600_000;

type PullChange = Extract<LocalChange, { readonly action: 'pull' }>;

/** Other regions hear of pulls once an hour for each manifest: what nobody pulls anywhere may be old. By registry, where there are others. */
async function pullsToTell(
  tx: WriteQueries,
  manifests: readonly ManifestPulls[],
): Promise<ReadonlyMap<number, readonly PullChange[]>> {
  const told = new Map<number, PullChange[]>();
  if (manifests.length === 0) return told;
  const pulledAt = new Map(manifests.map(({ id, at }) => [id, at]));
  const rows = await tx
    .selectFrom('manifests')
    .innerJoin('repositories', 'repositories.id', 'manifests.repository_id')
    .innerJoin('registries', 'registries.id', 'repositories.registry_id')
    .select(['manifests.id', 'manifests.digest', 'manifests.last_pulled_at', 'repositories.name', 'repositories.registry_id'])
    .where('manifests.id', 'in', [...pulledAt.keys()])
    .where('registries.is_replicated', '=', 1)
    .where('repositories.deleted_at', 'is', null)
    .orderBy('manifests.id')
    .execute();
  for (const { id, digest, last_pulled_at, name, registry_id } of rows) {
    const at = pulledAt.get(id) ?? 0;
    if (last_pulled_at !== null && Math.floor(last_pulled_at / hourMs) >= Math.floor(at / hourMs)) continue;
    const change = { action: 'pull', repository: name, digest, pulledAt: at } as const;
    told.set(registry_id, [...(told.get(registry_id) ?? []), change]);
  }
  return told;
}

async function recordTag(tx: WriteQueries, { registryId, repository, tag, at }: TagPulls): Promise<void> {
  await tx
    .updateTable('tags')
    .set({ last_pulled_at: at })
    .where('name', '=', tag)
    .where('repository_id', 'in', (eb) =>
      eb
        .selectFrom('repositories')
        .select('id')
        .where('registry_id', '=', registryId)
        .where('name', '=', repository)
        .where('deleted_at', 'is', null),
    )
    .execute();
}

function keyOf({ registryId, repository, tag }: TagPulls): string {
  return `${registryId}/${repository}:${tag}`;
}

export const usageTransactions: readonly TransactionDefinition<never, unknown>[] = [recordUsage];
