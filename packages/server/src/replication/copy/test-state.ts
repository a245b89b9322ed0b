import type { Fact } from '@berth/api';
import type { openMemoryStore } from '../../platform/blob-store/index.ts';
import type { Database } from '../../platform/database/index.ts';
import { lockRepository } from './test-transactions.ts';

export interface StateOf {
  readonly database: Database;
  readonly registryId: number;
  readonly files: ReturnType<typeof openMemoryStore>;
}

export interface ToldFact {
  readonly action: string;
  readonly isVisible: boolean;
  readonly fact: Fact;
}

/** What stands in the database and the store. */
export function stateOf({ database, registryId, files }: StateOf) {
  const db = database.read;
  const count = async (rows: Promise<readonly unknown[]>): Promise<number> => (await rows).length;
  return {
    linked: (repository: string) =>
      count(
        db
          .selectFrom('repository_blobs')
          .innerJoin('repositories', 'repositories.id', 'repository_blobs.repository_id')
          .select('blob_id')
          .where('name', '=', repository)
          .execute(),
      ),
    durableBytes: async () =>
      (await db.selectFrom('uploads').select('received_bytes').execute()).reduce((sum, row) => sum + row.received_bytes, 0),
    copiesInWork: () => count(db.selectFrom('region_copies').select('digest').execute()),
    problems: async () => (await db.selectFrom('pending_manifests').select('problem').execute()).map((row) => row.problem),
    isClaimed: async (digest: string): Promise<boolean> => {
      const rows = db.selectFrom('pending_manifests').select('id').where('digest', '=', digest);
      return (await rows.where('claimed_until', 'is not', null).execute()).length > 0;
    },
    feed: (region: string) =>
      db
        .selectFrom('region_feeds')
        .select(['damaged_answers', 'copied_bytes'])
        .where('registry_id', '=', registryId)
        .where('region', '=', region)
        .executeTakeFirstOrThrow(),
    told: async (): Promise<readonly ToldFact[]> => {
      const rows = await db.selectFrom('changes').select(['action', 'is_visible', 'fact']).orderBy('sequence').execute();
      return rows.map((row) => ({ action: row.action, isVisible: row.is_visible === 1, fact: JSON.parse(row.fact) as Fact }));
    },
    lockRepository: (name: string) => database.write(lockRepository, { name }),
    damage: async (digest: string) => {
      const parts = await db
        .selectFrom('parts')
        .innerJoin('blobs', 'blobs.id', 'parts.blob_id')
        .select('parts.name')
        .where('blobs.digest', '=', digest)
        .execute();
      await files.deleteMany(parts.map((part) => part.name));
    },
  };
}
