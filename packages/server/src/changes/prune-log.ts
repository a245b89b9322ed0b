import { sql } from 'kysely';
import { type Database, type WriteQueries, defineTransaction } from '../platform/database/index.ts';

/** Stands in `change_cursors` once something of a registry's log is gone. No consumer has this name. */
export const prunedConsumer = '$pruned';

const perBatch = 1000;

export interface PruneLog {
  readonly registryId: number;
  readonly engine: Database['engine'];
  /** What was written before goes, unless somebody has yet to read it (ms). */
  readonly before: number;
  /** What was written before goes in any case: a consumer that reads no more must not keep a log for ever (ms). */
  readonly beforeAtLast: number;
}

/**
 * Takes some of a registry's log that is old. What stays is the newest row, which readers verify their cursors by, and the one
 * with the latest clock, which the next stamp has to pass. True when there may be more.
 */
export const pruneLog = defineTransaction('changes.prune-log', async (tx, input: PruneLog): Promise<boolean> => {
  const { registryId, before, beforeAtLast } = input;
  const kept = await keptRows(tx, input);
  const unread = await firstUnread(tx, registryId);
  const oldest = await ordered(tx, input, 'asc').select(['sequence', 'created_at']).limit(perBatch).execute();
  const old = oldest.filter(({ created_at }) => created_at < before);
  const gone = old
    .filter(({ sequence, created_at }) => !kept.has(sequence) && (sequence < unread || created_at < beforeAtLast))
    .map(({ sequence }) => sequence);
  if (gone.length === 0) return false;
  await tx.deleteFrom('changes').where('sequence', 'in', gone).execute();
  const mark = { consumer: prunedConsumer, registry_id: registryId, sequence: Math.max(...gone) };
  await tx
    .insertInto('change_cursors')
    .values(mark)
    .onConflict((conflict) => conflict.columns(['registry_id', 'consumer']).doUpdateSet({ sequence: mark.sequence }))
    .execute();
  return old.length === perBatch;
});

function ordered(tx: WriteQueries, { registryId, engine }: PruneLog, direction: 'asc' | 'desc') {
  const rows = tx.selectFrom('changes').where('registry_id', '=', registryId);
  return engine === 'sqlite'
    ? rows.orderBy('sequence', direction)
    : rows.orderBy(sql`transaction_id`, direction).orderBy('sequence', direction);
}

async function keptRows(tx: WriteQueries, input: PruneLog): Promise<ReadonlySet<number>> {
  const newest = await ordered(tx, input, 'desc').select('sequence').limit(1).execute();
  const latest = await tx
    .selectFrom('changes')
    .select('sequence')
    .where('registry_id', '=', input.registryId)
    .orderBy('clock', 'desc')
    .limit(1)
    .execute();
  return new Set([...newest, ...latest].map(({ sequence }) => sequence));
}

/** The row that the slowest consumer has read last is kept, too: it goes on from there. */
async function firstUnread(tx: WriteQueries, registryId: number): Promise<number> {
  const slowest = await tx
    .selectFrom('change_cursors')
    .select('sequence')
    .where('registry_id', '=', registryId)
    .where('consumer', '!=', prunedConsumer)
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst();
  return slowest?.sequence ?? Number.POSITIVE_INFINITY;
}
