import { type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { transactions as mergeTransactions } from '../merge/test-transactions.ts';

/** Rows of tables in the order in which they can be written. */
export type Backup = readonly (readonly [Table, readonly object[]])[];

const ofRegistry = ['repositories', 'registers', 'changes', 'region_feeds', 'pending_manifests'] as const;
const ofRepository = ['repository_blobs', 'manifests', 'manifest_blobs', 'manifest_children', 'tags'] as const;
type Table = (typeof ofRegistry)[number] | (typeof ofRepository)[number];

export const back = defineTransaction(
  'test.back-up',
  async (tx, { registryId }: { readonly registryId: number }): Promise<Backup> => {
    const backup: [Table, object[]][] = [];
    const repositories = await tx.selectFrom('repositories').select('id').where('registry_id', '=', registryId).execute();
    const ids = [0, ...repositories.map(({ id }) => id)];
    for (const table of ofRegistry)
      backup.push([table, await tx.selectFrom(table).selectAll().where('registry_id', '=', registryId).execute()]);
    for (const table of ofRepository)
      backup.push([table, await tx.selectFrom(table).selectAll().where('repository_id', 'in', ids).execute()]);
    return backup;
  },
);

/** What a restored backup comes to: rows of then, and nothing of what came after. */
export const restore = defineTransaction(
  'test.restore',
  async (tx, { registryId, backup }: { readonly registryId: number; readonly backup: Backup }): Promise<void> => {
    const repositories = await tx.selectFrom('repositories').select('id').where('registry_id', '=', registryId).execute();
    const ids = [0, ...repositories.map(({ id }) => id)];
    for (const table of ofRepository.toReversed()) await tx.deleteFrom(table).where('repository_id', 'in', ids).execute();
    for (const table of ofRegistry.toReversed()) await tx.deleteFrom(table).where('registry_id', '=', registryId).execute();
    for (const [table, rows] of backup) for (const row of rows) await insert(tx, table, row);
  },
);

/** Whatever their columns are: they come from the same table. */
async function insert(tx: WriteQueries, table: Table, row: object): Promise<void> {
  await tx.insertInto(table).values(row).execute();
}

export const transactions = [...mergeTransactions, back, restore];
