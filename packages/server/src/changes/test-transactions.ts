import type { Fact } from '@berth/api';
import { defineTransaction } from '../platform/database/index.ts';
import { type LocalChange, recordChanges } from './record-changes.ts';
import { joinRegister } from './registers.ts';
import { changesTransactions } from './transactions.ts';

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { name: string; isReplicated: boolean }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0, is_replicated: Number(input.isReplicated) };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

export interface WriteLog {
  readonly registryId: number;
  readonly changes: readonly LocalChange[];
  readonly now: number;
}

export const writeLog = defineTransaction('test.write-log', async (tx, input: WriteLog) => void (await recordChanges(tx, input)));

export const joinFact = defineTransaction('test.join-fact', async (tx, input: { registryId: number; fact: Fact }) => {
  await joinRegister(tx, input.registryId, input.fact);
});

/** As a backup that is put back would: the log ends earlier. */
export const rewind = defineTransaction('test.rewind', async (tx, input: { registryId: number; after: number }) => {
  await tx.deleteFrom('changes').where('registry_id', '=', input.registryId).where('sequence', '>', input.after).execute();
});

/** A row that another region told of, or one of a restored log. */
export const insertRow = defineTransaction(
  'test.insert-row',
  async (tx, input: { registryId: number; sequence?: number; clock: number; origin: string; at: number }) => {
    const { registryId: registry_id, sequence, clock, origin, at: created_at } = input;
    const fact = JSON.stringify({ kind: 'repository', repository: 'r', name: '' });
    await tx
      .insertInto('changes')
      .values({
        ...(sequence !== undefined && { sequence }),
        registry_id,
        clock,
        origin,
        action: 'push',
        repository: 'r',
        fact,
        is_visible: 1,
        created_at,
      })
      .execute();
  },
);

export const keepCursor = defineTransaction(
  'test.keep-cursor',
  async (tx, input: { registryId: number; consumer: string; sequence: number }) => {
    const { registryId: registry_id, consumer, sequence } = input;
    await tx.insertInto('change_cursors').values({ registry_id, consumer, sequence }).execute();
  },
);

export const setReplicated = defineTransaction('test.set-replicated', async (tx, input: { registryId: number }) => {
  const changes = { is_replicated: 1, registers_ready_at: null };
  await tx.updateTable('registries').set(changes).where('id', '=', input.registryId).execute();
});

export interface AddContent {
  readonly registryId: number;
  readonly repository: string;
  readonly manifests: number;
  readonly tags: number;
  readonly pushedAt: number;
}

/** Rows as pushes leave them, without log and registers. */
export const addContent = defineTransaction('test.add-content', async (tx, input: AddContent) => {
  const { registryId, repository: name, pushedAt: pushed_at } = input;
  const times = { created_at: 0, updated_at: 0, listed_at: 0, deleted_at: null };
  const { id } = await tx
    .insertInto('repositories')
    .values({ registry_id: registryId, name, ...times, list_enabled: 0 })
    .returning('id')
    .executeTakeFirstOrThrow();
  const key = { id: `${registryId}-${name}`, registry_id: registryId, wrapping_key_id: 'w', wrapped_key: Buffer.from('k') };
  await tx
    .insertInto('data_keys')
    .values({ ...key, is_current: 0, created_at: 0 })
    .execute();
  const sealed = { data_key_id: key.id, sealed_content: Buffer.from('s'), media_type: 't', size_bytes: 1 };
  const ids: number[] = [];
  for (let count = 0; count < input.manifests; count += 1) {
    const digest = `sha256:${String(count).padStart(6, '0')}`;
    const values = { repository_id: id, digest, ...sealed, pushed_at, delete_enabled: count === 0 ? 0 : 1 };
    ids.push((await tx.insertInto('manifests').values(values).returning('id').executeTakeFirstOrThrow()).id);
  }
  for (let count = 0; count < input.tags; count += 1) {
    const values = { repository_id: id, name: `t${String(count).padStart(6, '0')}`, manifest_id: ids[0] ?? 0, pushed_at };
    await tx.insertInto('tags').values(values).execute();
  }
});

export const transactions = [
  ...changesTransactions,
  addRegistry,
  writeLog,
  joinFact,
  rewind,
  insertRow,
  keepCursor,
  setReplicated,
  addContent,
];
