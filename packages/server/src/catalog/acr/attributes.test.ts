import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { type TestAnswer, type TestCatalog, digestOf, image, index, openTestCatalog } from '../test-catalog.ts';

const locked = 'REGISTRY_DISALLOWED_OPERATION';
const unlocked = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };

function expect(answer: TestAnswer, status: number, error?: string): TestAnswer {
  assert.deepEqual({ status: answer.status, error: answer.error }, { status, error }, answer.message);
  return answer;
}

const patch = (registry: TestCatalog, operation: string, request: object, change: object): Promise<TestAnswer> =>
  registry.ask(operation, { ...request, body: Buffer.from(JSON.stringify(change)) });

/** A repository `a` with one image under two tags. */
async function withImage(registry: TestCatalog): Promise<string> {
  await registry.pushBlob('a', 'config');
  const digest = await registry.push('a', image('config'), 'v1');
  await registry.push('a', image('config'), 'v2');
  return digest;
}

forEachEngine((engine) => {
  test('a locked tag neither moves nor goes; pushing what it points at changes nothing', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = await withImage(registry);
    const other = index([], { annotations: { other: 'yes' } });
    for (const change of [{ writeEnabled: false }, { deleteEnabled: false, writeEnabled: true }]) {
      const changed = await patch(registry, 'acr-update-tag', { name: 'a', reference: 'v1' }, change);
      assert.deepEqual((changed.json as { tag: { changeableAttributes: object } }).tag.changeableAttributes, {
        ...unlocked,
        ...change,
      });
      for (const operation of ['delete-manifest', 'acr-delete-tag'])
        expect(await registry.ask(operation, { name: 'a', reference: 'v1' }), 405, locked);
      // With the manifest its tags would go.
      expect(await registry.ask('delete-manifest', { name: 'a', reference: digest }), 405, locked);
      expect(await registry.ask('delete-repository', { name: 'a' }), 405, locked);
      await registry.push('a', image('config'), 'v1');
    }
    await patch(registry, 'acr-update-tag', { name: 'a', reference: 'v1' }, { writeEnabled: false });
    const moved = await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: Buffer.from(JSON.stringify(other)) });
    expect(moved, 405, locked);
    assert.match(moved.message, /the tag v1 of a is locked: its attribute writeEnabled is false/);
    // Nothing of a refused push is there.
    assert.equal(count(await registry.ask('acr-get-repository', { name: 'a' })), '1 2');
    expect(await registry.ask('delete-manifest', { name: 'a', reference: 'v2' }), 202);
    await patch(registry, 'acr-update-tag', { name: 'a', reference: 'v1' }, { writeEnabled: true, deleteEnabled: true });
    expect(await registry.ask('delete-manifest', { name: 'a', reference: digest }), 202);
  });

  test('a locked manifest stays, whatever becomes of its tags', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = await withImage(registry);
    expect(await patch(registry, 'acr-update-manifest', { name: 'a', digest }, { deleteEnabled: false }), 200);
    expect(await registry.ask('delete-manifest', { name: 'a', reference: digest }), 405, locked);
    expect(await registry.ask('delete-repository', { name: 'a' }), 405, locked);
    expect(await registry.ask('acr-delete-tag', { name: 'a', reference: 'v1' }), 202);
    expect(await registry.ask('get-manifest', { name: 'a', reference: digest }), 200);
  });

  test('a locked repository takes nothing in and lets nothing go', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = await withImage(registry);
    await registry.pushBlob('a', 'unused');
    await registry.pushBlob('b', 'elsewhere');
    expect(await patch(registry, 'acr-update-repository', { name: 'a' }, { writeEnabled: false }), 200);
    const mount = { mount: digestOf('elsewhere'), from: 'b' };
    expect(await registry.ask('start-upload', { name: 'a' }), 405, locked);
    expect(await registry.ask('start-upload', { name: 'a', query: mount }), 405, locked);
    const body = Buffer.from(JSON.stringify(image('config')));
    expect(await registry.ask('put-manifest', { name: 'a', reference: 'v3', body }), 405, locked);
    for (const reference of ['v1', digest]) expect(await registry.ask('delete-manifest', { name: 'a', reference }), 405, locked);
    expect(await registry.ask('delete-blob', { name: 'a', digest: digestOf('unused') }), 405, locked);
    expect(await registry.ask('delete-repository', { name: 'a' }), 405, locked);
    expect(await registry.ask('get-manifest', { name: 'a', reference: 'v1' }), 200);
    // Deleting may be forbidden alone.
    await patch(registry, 'acr-update-repository', { name: 'a' }, { writeEnabled: true, deleteEnabled: false });
    await registry.push('a', image('config'), 'v3');
    expect(await registry.ask('acr-delete-tag', { name: 'a', reference: 'v3' }), 405, locked);
    await patch(registry, 'acr-update-repository', { name: 'a' }, { deleteEnabled: true });
    expect(await registry.ask('delete-repository', { name: 'a' }), 202);
    // The next repository of that name is another one.
    await registry.pushBlob('a', 'config');
  });

  test('what may not be read is refused by every way to it', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = await withImage(registry);
    await patch(registry, 'acr-update-tag', { name: 'a', reference: 'v1' }, { readEnabled: false });
    for (const operation of ['get-manifest', 'head-manifest'])
      expect(await registry.ask(operation, { name: 'a', reference: 'v1' }), 405, locked);
    for (const reference of ['v2', digest]) expect(await registry.ask('get-manifest', { name: 'a', reference }), 200);
    await patch(registry, 'acr-update-manifest', { name: 'a', digest }, { readEnabled: false });
    for (const reference of ['v2', digest]) expect(await registry.ask('get-manifest', { name: 'a', reference }), 405, locked);
    expect(await registry.ask('get-blob', { name: 'a', digest: digestOf('config') }), 200);
    await patch(registry, 'acr-update-repository', { name: 'a' }, { readEnabled: false });
    expect(await registry.ask('get-blob', { name: 'a', digest: digestOf('config') }), 405, locked);
    // Nor can it be mounted to where it may be read: the client is asked to upload.
    const mount = { mount: digestOf('config'), from: 'a' };
    expect(await registry.ask('start-upload', { name: 'b', query: mount }), 202);
  });

  test('what is not listed can still be addressed', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = await withImage(registry);
    const referrer = await registry.push(
      'a',
      index([], { subject: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 } }),
    );
    await patch(registry, 'acr-update-tag', { name: 'a', reference: 'v1' }, { listEnabled: false });
    for (const operation of ['list-tags', 'acr-list-tags'])
      assert.doesNotMatch(JSON.stringify((await registry.ask(operation, { name: 'a' })).json), /v1"/);
    expect(await registry.ask('get-manifest', { name: 'a', reference: 'v1' }), 200);
    for (const each of [digest, referrer])
      await patch(registry, 'acr-update-manifest', { name: 'a', digest: each }, { listEnabled: false });
    assert.equal(((await registry.ask('acr-list-manifests', { name: 'a' })).json as { manifests: unknown }).manifests, null);
    assert.deepEqual(
      ((await registry.ask('list-referrers', { name: 'a', digest })).json as { manifests: unknown[] }).manifests,
      [],
    );
    expect(await registry.ask('acr-get-manifest', { name: 'a', digest }), 200);
    await patch(registry, 'acr-update-repository', { name: 'a' }, { listEnabled: false });
    for (const operation of ['list-repositories', 'acr-list-repositories'])
      assert.deepEqual((await registry.ask(operation, {})).json, { repositories: [] });
    expect(await registry.ask('acr-get-repository', { name: 'a' }), 200);
  });

  test('changes that do not fit are refused and change nothing', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = await withImage(registry);
    for (const change of [{ writeEnabled: 'no' }, { locked: true }, [], 'text'])
      expect(await patch(registry, 'acr-update-repository', { name: 'a' }, change as object), 400, 'REQUEST_INVALID');
    const before = (await registry.ask('acr-get-repository', { name: 'a' })).json;
    registry.clock.time += 1000;
    assert.deepEqual(expect(await patch(registry, 'acr-update-repository', { name: 'a' }, {}), 200).json, before);
    expect(await patch(registry, 'acr-update-repository', { name: 'none' }, {}), 404, 'NAME_UNKNOWN');
    expect(await patch(registry, 'acr-update-tag', { name: 'a', reference: 'none' }, {}), 404, 'TAG_UNKNOWN');
    expect(await patch(registry, 'acr-update-tag', { name: 'a', reference: digest }, {}), 400, 'TAG_INVALID');
    expect(await patch(registry, 'acr-update-manifest', { name: 'a', digest: digestOf('none') }, {}), 404, 'MANIFEST_UNKNOWN');
    expect(await registry.ask('acr-delete-tag', { name: 'a', reference: 'none' }), 404, 'TAG_UNKNOWN');
  });
});

/** Manifests and tags, as the repository counts them. */
function count(answer: TestAnswer): string {
  const { manifestCount, tagCount } = answer.json as { manifestCount: number; tagCount: number };
  return `${manifestCount} ${tagCount}`;
}
