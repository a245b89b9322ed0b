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
    for (const { id, count, at } of manifests.toSorted((a, b) => a.id - b.id)) {
      await tx
        .updateTable('manifests')
        .set((eb) => ({ last_pulled_at: at, pull_count: eb('pull_count', '+', count) }))
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
  },
);

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
