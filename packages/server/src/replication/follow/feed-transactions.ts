import type { RegionFeedRow, TransactionDefinition } from '../../platform/database/index.ts';
import { defineTransaction } from '../../platform/database/index.ts';

export interface FeedName {
  readonly registryId: number;
  /** The other region. */
  readonly region: string;
}

export interface Hold {
  /** A process. */
  readonly holder: string;
  readonly heldUntil: number;
  readonly now: number;
}

export interface HeldFeed {
  readonly cursor: string;
  readonly snapshot_after: string | null;
  readonly snapshot_cursor: string | null;
  readonly state: string;
}

/**
 * Takes a feed to follow it, and makes it when it is new. Undefined: another process follows it, and has said so lately; or the
 * registry is gone. `isAlone`: there is no other process, so whoever held it is dead.
 */
export const takeFeed = defineTransaction(
  'replication.take-feed',
  async (tx, input: FeedName & Hold & { readonly isAlone: boolean }): Promise<HeldFeed | undefined> => {
    const { registryId, region, holder, heldUntil, now, isAlone } = input;
    const registry = await tx
      .selectFrom('registries')
      .select('id')
      .where('id', '=', registryId)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    if (registry === undefined) return undefined;
    await tx
      .insertInto('region_feeds')
      .values({ registry_id: registryId, region, cursor: '', state: 'waiting', created_at: now, ...unknown })
      .onConflict((conflict) => conflict.columns(['registry_id', 'region']).doNothing())
      .execute();
    const taken = tx
      .updateTable('region_feeds')
      .set({ held_by: holder, held_until: heldUntil })
      .where('registry_id', '=', registryId)
      .where('region', '=', region);
    const free = isAlone
      ? taken
      : taken.where((eb) => eb.or([eb('held_by', 'is', null), eb('held_by', '=', holder), eb('held_until', '<=', now)]));
    return free.returning(['cursor', 'snapshot_after', 'snapshot_cursor', 'state']).executeTakeFirst();
  },
);

const unknown = {
  snapshot_after: null,
  snapshot_cursor: null,
  answered_at: null,
  complete_until: null,
  behind: null,
  skew_ms: null,
  problem: null,
  remedy: null,
  held_by: null,
  held_until: null,
};

/** A process is there still: nobody else takes the feeds that it follows. */
export const prolongHolds = defineTransaction(
  'replication.prolong-holds',
  async (tx, input: Omit<Hold, 'now'>): Promise<void> => {
    await tx.updateTable('region_feeds').set({ held_until: input.heldUntil }).where('held_by', '=', input.holder).execute();
  },
);

/** Gives up one feed, or all. */
export const releaseFeeds = defineTransaction(
  'replication.release-feeds',
  async (tx, { holder, of }: { readonly holder: string; readonly of?: FeedName }): Promise<void> => {
    const held = tx.updateTable('region_feeds').set({ held_by: null, held_until: null }).where('held_by', '=', holder);
    await (of === undefined ? held : held.where('registry_id', '=', of.registryId).where('region', '=', of.region)).execute();
  },
);

export interface FeedNote extends FeedName {
  readonly holder: string;
  readonly set: Partial<
    Pick<RegionFeedRow, 'state' | 'problem' | 'remedy' | 'cursor' | 'snapshot_after' | 'snapshot_cursor' | 'skew_ms' | 'behind'>
  >;
  /** Answers that were not what they promise. */
  readonly damaged?: number;
}

/** Notes what was seen of a feed. False: another process follows it now. */
export const noteFeed = defineTransaction('replication.note-feed', async (tx, input: FeedNote): Promise<boolean> => {
  const updated = await tx
    .updateTable('region_feeds')
    .set((eb) => ({ ...input.set, damaged_answers: eb('damaged_answers', '+', input.damaged ?? 0) }))
    .where('registry_id', '=', input.registryId)
    .where('region', '=', input.region)
    .where('held_by', '=', input.holder)
    .returning('region')
    .executeTakeFirst();
  return updated !== undefined;
});

/** Forgets feeds of regions that hold the registry no longer. */
export const dropFeeds = defineTransaction(
  'replication.drop-feeds',
  async (tx, { registryId, keep }: { readonly registryId: number; readonly keep: readonly string[] }): Promise<void> => {
    const feeds = tx.deleteFrom('region_feeds').where('registry_id', '=', registryId);
    await (keep.length === 0 ? feeds : feeds.where('region', 'not in', keep)).execute();
  },
);

export const feedTransactions: readonly TransactionDefinition<never, unknown>[] = [
  takeFeed,
  prolongHolds,
  releaseFeeds,
  noteFeed,
  dropFeeds,
];
