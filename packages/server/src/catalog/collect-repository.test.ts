import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { forEachEngine } from '@berth/testkit';
import {
  type TestCatalog,
  bytesOf,
  descriptor,
  digestOf,
  garbageDelayMs,
  image,
  index,
  openTestCatalog,
} from './test-catalog.ts';
import { addTags } from './test-transactions.ts';

const tablesOfContent = [
  'repositories',
  'manifests',
  'manifest_blobs',
  'manifest_children',
  'tags',
  'repository_blobs',
  'blobs',
  'uploads',
  'parts',
  'garbage',
] as const;

/** Rows by table, without the empty ones. */
async function rowsOf({ database }: TestCatalog): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tablesOfContent) {
    const { count } = await database.read
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    if (count > 0) counts[table] = count;
  }
  return counts;
}

forEachEngine((engine) => {
  test('attack 18: a deleted repository is gone at once, and all of it goes in the end', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const content of ['config', 'layer']) await registry.pushBlob('a/b', content);
    const child = image('config', ['layer']);
    const digest = await registry.push('a/b', child, 'v1');
    const parent = await registry.push(
      'a/b',
      index([child], { subject: descriptor(bytesOf(child), mediaTypes.ociManifest), annotations: { a: 'b' } }),
      'v2',
    );
    const upload = await registry.ask('start-upload', { name: 'a/b' });
    const session = String(upload.headers['Location']).split('/').at(-1) ?? '';
    assert.equal((await registry.ask('send-chunk', { name: 'a/b', session, body: Buffer.from('part') })).status, 202);

    const deleted = await registry.ask('delete-repository', { name: 'a/b' });
    assert.equal(deleted.status, 202);
    assert.deepEqual(deleted.json, { manifestsDeleted: [digest, parent].toSorted(), tagsDeleted: ['v1', 'v2'] });
    for (const reference of ['v1', digest, 'v2']) {
      for (const operation of ['get-manifest', 'head-manifest', 'delete-manifest'])
        assert.equal((await registry.ask(operation, { name: 'a/b', reference })).error, 'NAME_UNKNOWN');
    }
    assert.equal((await registry.ask('list-tags', { name: 'a/b' })).error, 'NAME_UNKNOWN');
    assert.deepEqual((await registry.ask('list-repositories', {})).json, { repositories: [] });
    assert.deepEqual(
      ((await registry.ask('list-referrers', { name: 'a/b', digest })).json as { manifests: unknown[] }).manifests,
      [],
    );
    assert.equal((await registry.ask('get-blob', { name: 'a/b', digest: digestOf('layer') })).status, 404);
    assert.equal((await registry.ask('delete-repository', { name: 'a/b' })).error, 'NAME_UNKNOWN');

    await registry.collect();
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    assert.deepEqual(await rowsOf(registry), {});
    assert.deepEqual(registry.logged, []);
  });

  test('a repository that is made again under its name is a fresh one', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const old = await registry.push('a', image('config'), 'old');
    await registry.ask('delete-repository', { name: 'a' });
    assert.equal(
      (await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(image('config')) })).error,
      'MANIFEST_BLOB_UNKNOWN',
    );
    await registry.pushBlob('a', 'config');
    const fresh = await registry.push('a', image('config', [], { annotations: { a: 'b' } }), 'v1');
    for (const round of ['before', 'after']) {
      assert.deepEqual((await registry.ask('list-tags', { name: 'a' })).json, { name: 'a', tags: ['v1'] }, round);
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference: old })).status, 404);
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference: fresh })).status, 200);
      assert.equal((await registry.ask('get-blob', { name: 'a', digest: digestOf('config') })).status, 200);
      registry.clock.time += 2 * garbageDelayMs;
      await registry.collect();
    }
    assert.equal((await registry.database.read.selectFrom('repositories').select('id').execute()).length, 1);
  });

  test('content that another repository has stays readable there', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const name of ['a', 'b']) {
      await registry.pushBlob(name, 'config');
      await registry.push(name, image('config'), 'v1');
    }
    await registry.ask('delete-repository', { name: 'a' });
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    assert.equal((await registry.ask('get-manifest', { name: 'b', reference: 'v1' })).status, 200);
    assert.equal((await registry.ask('head-blob', { name: 'b', digest: digestOf('config') })).status, 200);
  });

  test('uploads into a deleted repository are gone', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const upload = await registry.ask('start-upload', { name: 'a' });
    assert.equal(upload.status, 202);
    const digest = digestOf('content');
    await registry.ask('delete-repository', { name: 'a' });
    const session = String(upload.headers['Location']).split('/').at(-1) ?? '';
    for (const round of ['before', 'after']) {
      const finished = await registry.ask('finish-upload', {
        name: 'a',
        session,
        query: { digest },
        body: Buffer.from('content'),
      });
      assert.equal(finished.error, 'BLOB_UPLOAD_UNKNOWN', `${round} collection`);
      registry.clock.time += 2 * garbageDelayMs;
      await registry.collect();
    }
    assert.deepEqual(await rowsOf(registry), {});
  });

  test('a large repository goes in batches', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const contents = Array.from({ length: 30 }, (_, at) => `layer ${at}`);
    for (const content of ['config', ...contents]) await registry.pushBlob('a', content);
    const images = Array.from({ length: 40 }, (_, at) => image('config', contents, { annotations: { at: String(at) } }));
    for (const each of images) await registry.push('a', each);
    const digest = await registry.push('a', index(images));
    await registry.database.write(addTags, { digest, names: Array.from({ length: 1300 }, (_, at) => `t${at}`) });
    const deleted = (await registry.ask('delete-repository', { name: 'a' })).json as {
      manifestsDeleted: string[];
      tagsDeleted: string[];
    };
    assert.deepEqual([deleted.manifestsDeleted.length, deleted.tagsDeleted.length], [41, 1000]);
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    assert.deepEqual(await rowsOf(registry), {});
    assert.deepEqual(registry.logged, []);
  });

  test('pushes that meet the deletion of their repository land before it or in a fresh one', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (let round = 0; round < 25; round += 1) {
      await registry.pushBlob('a', 'config');
      const pushes = Array.from({ length: 3 }, (_, at) =>
        registry.ask('put-manifest', {
          name: 'a',
          reference: `v${at}`,
          body: bytesOf(image('config', [], { annotations: { at: String(at) } })),
        }),
      );
      const content = `blob ${round}`;
      const blob = registry.ask('start-upload', { name: 'a', query: { digest: digestOf(content) }, body: Buffer.from(content) });
      await Promise.all([...pushes, blob, registry.ask('delete-repository', { name: 'a' }).then(() => registry.collect())]);
      assert.ok([201, 404].includes((await blob).status));
      for (const answer of await Promise.all(pushes))
        assert.ok(answer.status === 201 || answer.error === 'MANIFEST_BLOB_UNKNOWN', answer.message);
    }
    await registry.ask('delete-repository', { name: 'a' });
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    assert.deepEqual(await rowsOf(registry), {});
    assert.deepEqual(registry.logged, []);
  });
});
