import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import { sealBytes } from '../../platform/sealing/index.ts';
import { factsOf, manifestSeal } from '../model.ts';
import { type TestCatalog, bytesOf, digestOf, garbageDelayMs, image, index, openTestCatalog } from '../test-catalog.ts';
import { place, setProperties } from '../test-transactions.ts';
import type { ManifestToPlace } from './index.ts';

const one = image('one', ['layer']);
const two = image('two');
const digest = digestOf(bytesOf(one));
const ofTwo = digestOf(bytesOf(two));
const soft = JSON.stringify({ policies: { softDeletePolicy: { status: 'enabled', retentionDays: 7 } } });

async function open(engine: TestEngine, t: TestContext): Promise<TestCatalog> {
  const catalog = await openTestCatalog(engine, t);
  for (const blob of ['one', 'two', 'layer']) await catalog.pushBlob('a', blob);
  return catalog;
}

function toPlace({ keys, registry, clock }: TestCatalog, document: object): ManifestToPlace {
  const bytes = bytesOf(document);
  const facts = factsOf(bytes, undefined);
  const key = keys.current(registry.id);
  const name = digestOf(bytes);
  return {
    ...facts,
    registryId: registry.id,
    repository: 'a',
    digest: name,
    subjectDigest: facts.subject,
    sizeBytes: bytes.length,
    dataKeyId: key.id,
    sealedContent: sealBytes(key, manifestSeal(registry.id, name), bytes),
    sealedAnnotations: null,
    now: clock.now(),
  };
}

const within = ({ registry, clock }: TestCatalog) => ({ registryId: registry.id, repository: 'a', now: clock.now() });

/** Counts as they are kept, and as they are. */
async function assertCounted({ database, registry }: TestCatalog): Promise<void> {
  const rows = await database.read
    .selectFrom('repositories')
    .select(['id', 'manifest_count', 'tag_count', 'listed_at'])
    .where('registry_id', '=', registry.id)
    .where('deleted_at', 'is', null)
    .execute();
  for (const { id, manifest_count, tag_count, listed_at } of rows) {
    const manifests = await database.read.selectFrom('manifests').select('id').where('repository_id', '=', id).execute();
    const tags = await database.read.selectFrom('tags').select('name').where('repository_id', '=', id).execute();
    assert.deepEqual([manifest_count, tag_count], [manifests.length, tags.length]);
    assert.equal(listed_at !== null, manifests.length > 0);
  }
}

async function tagsOf(catalog: TestCatalog): Promise<unknown> {
  return ((await catalog.ask('list-tags', { name: 'a' })).json as { tags: unknown }).tags;
}

forEachEngine((engine) => {
  test('a manifest that is placed is served as one that was pushed, with its tag, whatever is locked', async (t) => {
    const catalog = await open(engine, t);
    const body = Buffer.from(JSON.stringify({ writeEnabled: false }));
    await catalog.ask('acr-update-repository', { name: 'a', body });
    assert.equal(await catalog.database.write(place, { manifest: toPlace(catalog, one) }), true);
    assert.equal(await catalog.database.write(place, { manifest: toPlace(catalog, one) }), false);
    const tag = { ...within(catalog), tag: 'v1', digest, values: { read_enabled: 1, write_enabled: 0 } };
    assert.equal(await catalog.database.write(place, { tag }), true);
    const answer = await catalog.ask('get-manifest', { name: 'a', reference: 'v1' });
    assert.deepEqual(answer.bytes, bytesOf(one));
    await catalog.database.write(place, { manifest: toPlace(catalog, two) });
    assert.equal(await catalog.database.write(place, { tag: { ...tag, digest: ofTwo, values: {} } }), true);
    assert.equal((await catalog.ask('head-manifest', { name: 'a', reference: 'v1' })).headers['Docker-Content-Digest'], ofTwo);
    assert.equal(await catalog.database.write(place, { tag: { ...tag, digest: 'sha256:none' } }), false);
    await assertCounted(catalog);
    const moved = await catalog.database.read.selectFrom('moved_tags').select('digest').orderBy('id').execute();
    assert.deepEqual(
      moved.map((row) => row.digest),
      [digest, ofTwo],
    );
    const left = await catalog.database.read.selectFrom('manifests').select('untagged_at').where('digest', '=', digest).execute();
    assert.equal(left[0]?.untagged_at, catalog.clock.now());
  });

  test('a blob that is missing is told, an image of an index need not be there, blobs in use are kept', async (t) => {
    const catalog = await open(engine, t);
    const missing = image('nowhere');
    await assert.rejects(catalog.database.write(place, { manifest: toPlace(catalog, missing) }), {
      error: 'MANIFEST_BLOB_UNKNOWN',
    });
    assert.equal(await catalog.database.write(place, { manifest: toPlace(catalog, index([one, two])) }), true);
    assert.equal(await catalog.database.write(place, { manifest: toPlace(catalog, one) }), true);
    catalog.clock.time += garbageDelayMs * 3;
    await catalog.collect();
    const blobs = await catalog.database.read
      .selectFrom('blobs')
      .select('digest')
      .where('registry_id', '=', catalog.registry.id)
      .execute();
    assert.deepEqual(blobs.map((row) => row.digest).toSorted(compare), [digestOf('one'), digestOf('layer')].toSorted(compare));
    await assertCounted(catalog);
  });

  test('what is taken goes with its tags, locked or not, and its blobs follow', async (t) => {
    const catalog = await open(engine, t);
    await catalog.push('a', one, 'v1', new URLSearchParams([['tag', 'v2']]));
    await catalog.push('a', two, 'w1');
    const body = Buffer.from(JSON.stringify({ deleteEnabled: false }));
    for (const reference of ['v1', 'v2', 'w1']) await catalog.ask('acr-update-tag', { name: 'a', reference, body });
    const dueAt = catalog.clock.now();
    assert.equal(await catalog.database.write(place, { gone: { ...within(catalog), tag: 'w1' } }), true);
    assert.equal(await catalog.database.write(place, { gone: { ...within(catalog), tag: 'w1' } }), false);
    await assertCounted(catalog);
    assert.deepEqual(await catalog.database.write(place, { gone: { ...within(catalog), digest, dueAt } }), ['v1', 'v2']);
    assert.equal(await catalog.database.write(place, { gone: { ...within(catalog), digest, dueAt } }), undefined);
    assert.deepEqual(await tagsOf(catalog), []);
    await assertCounted(catalog);
    catalog.clock.time += garbageDelayMs * 3;
    await catalog.collect();
    const blobs = await catalog.database.read
      .selectFrom('blobs')
      .select('digest')
      .where('registry_id', '=', catalog.registry.id)
      .execute();
    assert.deepEqual(
      blobs.map((row) => row.digest),
      [digestOf('two')],
    );
  });

  test('a repository that is taken where deletions are soft can be restored, unless it is there again', async (t) => {
    const catalog = await open(engine, t);
    await catalog.database.write(setProperties, { id: catalog.registry.id, properties: soft });
    await catalog.push('a', one, 'v1');
    await catalog.push('a', two, 'w1');
    assert.equal(await catalog.database.write(place, { gone: within(catalog) }), true);
    assert.equal(await catalog.database.write(place, { gone: within(catalog) }), false);
    assert.equal((await catalog.ask('list-tags', { name: 'a' })).error, 'NAME_UNKNOWN');
    await catalog.pushBlob('a', 'two');
    await catalog.push('a', two, 'w2');
    catalog.clock.time += 1;
    await catalog.collect();
    const kept = await catalog.database.read.selectFrom('deleted_manifests').select('digest').execute();
    assert.deepEqual(
      kept.map((row) => row.digest),
      [digest],
    );
    const restored = await catalog.ask('acr-restore-manifest', { name: 'a', digest, body: Buffer.from('{}') });
    assert.equal(restored.status, 200, restored.message);
    assert.deepEqual(await tagsOf(catalog), ['v1', 'w2']);
    await assertCounted(catalog);
  });

  test('attributes become those that hold, and pulls the last of all', async (t) => {
    const catalog = await open(engine, t);
    await catalog.push('a', one, 'v1');
    const of = { digest };
    const attributes = {
      ...within(catalog),
      of,
      values: { list_enabled: 0, quarantine_state: 'Passed', quarantine_details: '{}' },
    };
    await catalog.database.write(place, { attributes });
    const row = async () =>
      catalog.database.read.selectFrom('manifests').selectAll().where('digest', '=', digest).executeTakeFirst();
    const { list_enabled, quarantine_state, quarantine_details } = (await row()) ?? {};
    assert.deepEqual([list_enabled, quarantine_state, quarantine_details], [0, 'Passed', '{}']);
    // It was let out: whoever builds on its tags is told.
    assert.equal((await catalog.database.read.selectFrom('moved_tags').select('tag').execute()).length, 2);
    await catalog.database.write(place, { attributes: { ...attributes, values: {} } });
    const after = await row();
    assert.deepEqual([after?.list_enabled, after?.quarantine_state, after?.quarantine_details], [1, null, null]);
    for (const pulledAt of [5, 9, 7])
      await catalog.database.write(place, { pull: { registryId: catalog.registry.id, repository: 'a', digest, pulledAt } });
    assert.equal((await row())?.last_pulled_at, 9);
  });
});

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
