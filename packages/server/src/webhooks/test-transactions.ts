import { type RecordChanges, recordChanges } from '../changes/index.ts';
import { defineTransaction } from '../platform/database/database.ts';
import { keyTransactions } from '../platform/keys/transactions.ts';
import { registryTransactions } from '../registries/transactions.ts';
import { resourceTransactions } from '../resources/transactions.ts';
import { webhookTransactions } from './transactions.ts';

/** What the tests of webhooks need: a module, because SQLite's writer thread imports it. */

/** What whoever changes content does at the end of its transaction. */
export const writeLog = defineTransaction('test.write-log', (tx, input: RecordChanges) => recordChanges(tx, input));

export interface TestManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly sizeBytes: number;
  readonly quarantineState: 'Passed' | 'Failed' | null;
  readonly tags: readonly string[];
  readonly now: number;
}

/** A manifest as catalog would have it, or what became of one. */
export const placeManifest = defineTransaction('test.place-manifest', async (tx, input: TestManifest): Promise<void> => {
  const { registryId: registry_id, repository: name, digest, now } = input;
  const find = () =>
    tx.selectFrom('repositories').select('id').where('registry_id', '=', registry_id).where('name', '=', name).executeTakeFirst();
  if ((await find()) === undefined)
    await tx
      .insertInto('repositories')
      .values({ registry_id, name, created_at: now, listed_at: now, deleted_at: null })
      .execute();
  const { id: repository_id } = (await find()) ?? { id: 0 };
  const values = {
    media_type: input.mediaType,
    artifact_type: input.artifactType,
    subject_digest: null,
    size_bytes: input.sizeBytes,
    data_key_id: (await tx.selectFrom('data_keys').select('id').where('registry_id', '=', registry_id).executeTakeFirstOrThrow())
      .id,
    sealed_content: new Uint8Array(),
    sealed_annotations: null,
    pushed_at: now,
    untagged_at: null,
    quarantine_state: input.quarantineState,
  };
  const { id: manifest_id } = await tx
    .insertInto('manifests')
    .values({ repository_id, digest, ...values })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet(values))
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const tag of input.tags)
    await tx
      .insertInto('tags')
      .values({ repository_id, name: tag, manifest_id, pushed_at: now })
      .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doUpdateSet({ manifest_id }))
      .execute();
});

export const transactions = [
  ...keyTransactions,
  ...registryTransactions,
  ...resourceTransactions,
  ...webhookTransactions,
  writeLog,
  placeManifest,
];
