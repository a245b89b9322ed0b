import { blobTransactions } from '../blobs/index.ts';
import type { Fact } from '@berth/api';
import { joinRegister } from '../changes/index.ts';
import { defineTransaction } from '../platform/database/index.ts';
import { collectorTransactions } from '../platform/garbage/index.ts';
import { keyTransactions } from '../platform/keys/index.ts';
import { foldStored } from '../platform/stored-bytes/index.ts';
import type { Place } from './bin/put-into-bin.ts';
import {
  type AttributesToPlace,
  type ManifestToPlace,
  type PullToNote,
  type TagToPlace,
  notePull,
  placeAttributes,
  placeManifest,
  placeTag,
  takeManifest,
  takeRepository,
  takeTag,
} from './placing/index.ts';
import { catalogTransactions } from './transactions.ts';

/** The server's transactions, as far as the catalog's tests need them, and some that only tests need. */

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { name: string }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0 };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

/** Writes what the resource manager would. */
export const setProperties = defineTransaction('test.set-properties', async (tx, input: { id: number; properties: string }) => {
  await tx.updateTable('registries').set({ properties: input.properties }).where('id', '=', input.id).execute();
});

/** From now on the registry has registers, as where another region holds it. */
export const replicate = defineTransaction('test.replicate', async (tx, { id }: { id: number }) => {
  await tx.updateTable('registries').set({ is_replicated: 1, registers_ready_at: 0 }).where('id', '=', id).execute();
});

/** What another region told of a name, joined and not yet projected. */
export const joinFact = defineTransaction('test.join-fact', async (tx, input: { registryId: number; fact: Fact }) => {
  await joinRegister(tx, input.registryId, input.fact);
});

/** What other regions told, one thing at a time. */
export interface PlaceOne {
  readonly manifest?: ManifestToPlace;
  readonly tag?: TagToPlace;
  readonly attributes?: AttributesToPlace;
  readonly pull?: PullToNote;
  /** A tag, a manifest, or the whole repository. */
  readonly gone?: Place & { readonly tag?: string; readonly digest?: string; readonly dueAt?: number };
}

export const place = defineTransaction(
  'test.place',
  async (tx, { manifest, tag, attributes, pull, gone }: PlaceOne): Promise<unknown> => {
    if (manifest !== undefined) return placeManifest(tx, manifest);
    if (tag !== undefined) return placeTag(tx, tag);
    if (attributes !== undefined) return placeAttributes(tx, attributes);
    if (pull !== undefined) return notePull(tx, pull);
    if (gone?.tag !== undefined) return takeTag(tx, { ...gone, tag: gone.tag });
    if (gone?.digest !== undefined) return takeManifest(tx, { ...gone, digest: gone.digest, dueAt: gone.dueAt ?? 0 });
    return gone && takeRepository(tx, gone);
  },
);

/** Damages what is stored, as a failing disk would. */
export const damageManifest = defineTransaction('test.damage-manifest', async (tx, input: { digest: string }) => {
  const rows = await tx
    .selectFrom('manifests')
    .select(['id', 'sealed_content', 'sealed_annotations'])
    .where('digest', '=', input.digest)
    .execute();
  for (const row of rows) {
    const damaged = {
      sealed_content: flipped(row.sealed_content),
      sealed_annotations: row.sealed_annotations && flipped(row.sealed_annotations),
    };
    await tx.updateTable('manifests').set(damaged).where('id', '=', row.id).execute();
  }
});

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

/** Many rows that would take a client long to push. */
export const addRepositories = defineTransaction(
  'test.add-repositories',
  async (tx, input: { registryId: number; names: readonly string[] }) => {
    for (let start = 0; start < input.names.length; start += 500) {
      const rows = input.names.slice(start, start + 500);
      await tx
        .insertInto('repositories')
        .values(rows.map((name) => ({ registry_id: input.registryId, name, created_at: 0, listed_at: 0, deleted_at: null })))
        .execute();
    }
  },
);

export const addTags = defineTransaction('test.add-tags', async (tx, input: { digest: string; names: readonly string[] }) => {
  const manifest = await tx
    .selectFrom('manifests')
    .select(['id', 'repository_id'])
    .where('digest', '=', input.digest)
    .executeTakeFirstOrThrow();
  for (let start = 0; start < input.names.length; start += 500) {
    const rows = input.names.slice(start, start + 500);
    await tx
      .insertInto('tags')
      .values(rows.map((name) => ({ repository_id: manifest.repository_id, name, manifest_id: manifest.id, pushed_at: 0 })))
      .execute();
  }
});

export const transactions = [
  ...collectorTransactions,
  ...keyTransactions,
  ...blobTransactions,
  ...catalogTransactions,
  foldStored,
  addRegistry,
  setProperties,
  replicate,
  joinFact,
  place,
  damageManifest,
  addRepositories,
  addTags,
];
