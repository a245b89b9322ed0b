import { sql } from 'kysely';
import { defineTransaction } from '../platform/database/index.ts';

/**
 * PostgreSQL only. A dump that is restored into another server brings rows of transactions that this one has yet to give out:
 * readers would wait before them for years. They count as written now.
 */
export const adoptRows = defineTransaction('changes.adopt-rows', async (tx, { registryId }: { readonly registryId: number }) => {
  await sql`
    update changes set transaction_id = pg_current_xact_id()
    where registry_id = ${registryId} and transaction_id >= pg_snapshot_xmax(pg_current_snapshot())`.execute(tx);
});
