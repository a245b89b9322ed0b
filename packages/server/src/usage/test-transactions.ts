import { defineTransaction } from '../platform/database/index.ts';
import { usageTransactions } from './transactions.ts';

const sealed = Buffer.from('sealed');

/** A repository with two manifests, and tags that name the first. */
export const addRepository = defineTransaction(
  'test.add-repository',
  async (tx, { name, tags }: { readonly name: string; readonly tags: readonly string[] }) => {
    const returned = <T>(rows: { executeTakeFirstOrThrow(): Promise<T> }): Promise<T> => rows.executeTakeFirstOrThrow();
    const registry = await returned(
      tx.insertInto('registries').values({ name, anonymous_pull: 0, created_at: 0 }).returning('id'),
    );
    const key = { id: `key of ${name}`, registry_id: registry.id, wrapping_key_id: 'w', wrapped_key: sealed };
    await tx
      .insertInto('data_keys')
      .values({ ...key, is_current: 1, created_at: 0 })
      .execute();
    const repository = await returned(
      tx.insertInto('repositories').values({ registry_id: registry.id, name, created_at: 0, listed_at: 0 }).returning('id'),
    );
    const manifestIds: number[] = [];
    for (const digest of ['sha256:1', 'sha256:2']) {
      const values = { repository_id: repository.id, digest, media_type: 't', size_bytes: 1, data_key_id: key.id };
      const { id } = await returned(
        tx
          .insertInto('manifests')
          .values({ ...values, sealed_content: sealed, pushed_at: 0 })
          .returning('id'),
      );
      manifestIds.push(id);
    }
    const [manifest_id = 0] = manifestIds;
    for (const tag of tags)
      await tx.insertInto('tags').values({ repository_id: repository.id, name: tag, manifest_id, pushed_at: 0 }).execute();
    return { registryId: registry.id, repositoryId: repository.id, manifestIds };
  },
);

export const transactions = [...usageTransactions, addRepository];
