import { sql } from 'kysely';
import { RegistryError } from '../../errors/index.ts';
import { type WriteQueries, defineTransaction } from './database.ts';
import { lockRows } from './lock-rows.ts';
import { prepareRead } from './prepared-read.ts';

/** Transactions of the database's own tests: a module of their own, because SQLite's writer thread imports it. */

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { name: string; at?: number }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: input.at ?? 0 };
  const { id } = await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow();
  return id;
});

export const addThenFail = defineTransaction('test.add-then-fail', async (tx, input: { name: string }) => {
  await tx.insertInto('registries').values({ name: input.name, anonymous_pull: 0, created_at: 0 }).execute();
  throw new RegistryError('MANIFEST_INVALID', {
    message: `no ${input.name} here`,
    detail: { name: input.name, offsets: [1, 2] },
    headers: { 'Retry-After': '7' },
  });
});

export const misbehave = defineTransaction('test.misbehave', async () => {
  throw new TypeError('a bug in a transaction');
});

export const addKey = defineTransaction('test.add-key', async (tx, input: { registryId: number; wrapped: Uint8Array }) => {
  const row = { id: 'key', registry_id: input.registryId, wrapping_key_id: 'w', wrapped_key: input.wrapped };
  await tx
    .insertInto('data_keys')
    .values({ ...row, is_current: 1, created_at: 2 ** 50 })
    .execute();
});

/** Adds one to a number that it read: loses counts unless rows are locked or writers serial. */
export const increment = defineTransaction('test.increment', async (tx, input: { registryId: number }) => {
  const query = tx.selectFrom('registries').select('created_at').where('id', '=', input.registryId);
  const { created_at } = await lockRows(query).executeTakeFirstOrThrow();
  await tx
    .updateTable('registries')
    .set({ created_at: created_at + 1 })
    .where('id', '=', input.registryId)
    .execute();
});

/** Locks two rows in the order given: the opposite order elsewhere makes a deadlock. */
export const touchBoth = defineTransaction('test.touch-both', async (tx, input: { first: number; second: number }) => {
  for (const id of [input.first, input.second]) {
    await tx
      .updateTable('registries')
      .set((eb) => ({ created_at: eb('created_at', '+', 1) }))
      .where('id', '=', id)
      .execute();
  }
});

export const addNames = defineTransaction(
  'test.add-names',
  async (tx, input: { registryId: number; names: readonly string[] }) => {
    for (const name of input.names) await addRepository(tx, input.registryId, name);
  },
);

function addRepository(tx: WriteQueries, registryId: number, name: string): Promise<{ id: number }> {
  const values = { registry_id: registryId, name, created_at: 0, listed_at: 0, deleted_at: null };
  return tx.insertInto('repositories').values(values).returning('id').executeTakeFirstOrThrow();
}

/** One repository with one linked blob, for tests of references. */
export const addLinkedBlob = defineTransaction(
  'test.add-linked-blob',
  async (tx, input: { registryId: number; digest: string }) => {
    const repository = await addRepository(tx, input.registryId, input.digest);
    const blob = await tx
      .insertInto('blobs')
      .values({ registry_id: input.registryId, digest: input.digest, size_bytes: 1, created_at: 0 })
      .returning('id')
      .executeTakeFirstOrThrow();
    await tx.insertInto('repository_blobs').values({ repository_id: repository.id, blob_id: blob.id, linked_at: 0 }).execute();
    return { repositoryId: repository.id, blobId: blob.id };
  },
);

export const linkBlob = defineTransaction('test.link-blob', async (tx, input: { repositoryId: number; blobId: number }) => {
  await tx
    .insertInto('repository_blobs')
    .values({ repository_id: input.repositoryId, blob_id: input.blobId, linked_at: 0 })
    .execute();
});

export const unlinkBlob = defineTransaction('test.unlink-blob', async (tx, input: { repositoryId: number; blobId: number }) => {
  await tx
    .deleteFrom('repository_blobs')
    .where('repository_id', '=', input.repositoryId)
    .where('blob_id', '=', input.blobId)
    .execute();
});

/** As the collector does it: lock, look for references, delete. */
export const collectBlob = defineTransaction('test.collect-blob', async (tx, input: { blobId: number }) => {
  const blob = await lockRows(tx.selectFrom('blobs').select('id').where('id', '=', input.blobId)).executeTakeFirst();
  if (blob === undefined) return false;
  const link = await tx.selectFrom('repository_blobs').select('blob_id').where('blob_id', '=', input.blobId).executeTakeFirst();
  if (link !== undefined) return false;
  await tx.deleteFrom('blobs').where('id', '=', input.blobId).execute();
  return true;
});

export const findByName = prepareRead<{ readonly name: string }, { id: number; anonymous_pull: number }>((db, p) =>
  db.selectFrom('registries').select(['id', 'anonymous_pull']).where('name', '=', p.name).where('anonymous_pull', '=', 0),
);

export const findInside = defineTransaction('test.find-inside', async (tx, input: { name: string }) => {
  await tx.insertInto('registries').values({ name: input.name, anonymous_pull: 0, created_at: 0 }).execute();
  return findByName.first(tx, input);
});

export const returnFunction = defineTransaction('test.return-function', async () => () => 1);

export const endThread = defineTransaction('test.end-thread', async () => {
  process.exit(3);
});

/** SQLite only: refuses to grow beyond so many pages, as a full disk does. */
export const limitPages = defineTransaction('test.limit-pages', async (tx, input: { pages: number }) => {
  await sql.raw(`pragma max_page_count = ${input.pages}`).execute(tx);
});

export const transactions = [
  addRegistry,
  addThenFail,
  misbehave,
  addKey,
  increment,
  touchBoth,
  addNames,
  addLinkedBlob,
  linkBlob,
  unlinkBlob,
  collectBlob,
  findInside,
  returnFunction,
  endThread,
  limitPages,
];
