import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { type TestCatalog, digestOf, image, index, openTestCatalog } from '../test-catalog.ts';

interface Entry {
  readonly name?: string;
  readonly digest?: string;
}

/** Every page that the Link headers lead to, as ACR's CLI follows them: it takes the query and keeps its own path. */
async function pages(registry: TestCatalog, operation: string, query: Record<string, string>): Promise<string[][]> {
  const found: string[][] = [];
  let next: URLSearchParams | undefined = new URLSearchParams(query);
  while (next !== undefined) {
    const answer = await registry.ask(operation, { name: 'a', query: next });
    assert.equal(answer.status, 200, answer.message);
    const { tags, manifests } = answer.json as { tags?: Entry[]; manifests?: Entry[] };
    found.push((tags ?? manifests ?? []).map((entry) => entry.name ?? entry.digest ?? ''));
    const link = String(answer.headers['Link'] ?? '');
    assert.ok(link === '' || /^<\/acr\/v1\/a\/_(?:tags|manifests)\?[^>]+>; rel="next"$/.test(link), link);
    next = link === '' ? undefined : new URLSearchParams(link.slice(link.indexOf('?') + 1, link.indexOf('>')));
  }
  return found;
}

const badQueries: Record<string, string>[] = [{ orderby: 'size' }, { n: 'x' }, { last: 'gone', orderby: 'timedesc' }];

const numbered = (number: number): object => index([], { annotations: { number: String(number) } });

forEachEngine((engine) => {
  test('tags and manifests come by name or by time, page by page', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digests: string[] = [];
    for (const [at, tag] of ['c', 'a', 'e', 'b', 'd'].entries()) {
      registry.clock.time += at === 3 ? 0 : 1000;
      digests.push(await registry.push('a', numbered(at), tag));
    }
    assert.deepEqual(await pages(registry, 'acr-list-tags', { n: '2' }), [['a', 'b'], ['c', 'd'], ['e']]);
    assert.deepEqual(await pages(registry, 'acr-list-tags', { n: '2', orderby: 'timeasc' }), [['c', 'a'], ['b', 'e'], ['d']]);
    assert.deepEqual(await pages(registry, 'acr-list-tags', { n: '2', orderby: 'timedesc' }), [['d', 'e'], ['b', 'a'], ['c']]);
    assert.deepEqual(await pages(registry, 'acr-list-tags', { last: 'e', orderby: 'timedesc' }), [['b', 'a', 'c']]);
    assert.deepEqual(await pages(registry, 'acr-list-tags', { digest: digests[2] ?? '' }), [['e']]);
    assert.deepEqual(await pages(registry, 'acr-list-tags', { digest: digests[2] ?? '', orderby: 'timedesc' }), [['e']]);
    assert.deepEqual((await pages(registry, 'acr-list-manifests', { n: '2', orderby: 'none' })).flat(), digests.toSorted());
    assert.deepEqual(
      (await pages(registry, 'acr-list-manifests', { n: '2', orderby: 'timeasc' })).flat().slice(0, 2),
      digests.slice(0, 2),
    );
    for (const query of badQueries)
      assert.equal((await registry.ask('acr-list-tags', { name: 'a', query })).status, 400, JSON.stringify(query));
    assert.equal((await registry.ask('acr-list-tags', { name: 'none' })).error, 'NAME_UNKNOWN');
  });

  test('a page goes on where the one before ended though its last entry has gone since', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const [at, tag] of ['a', 'b', 'c'].entries()) {
      registry.clock.time += 1000;
      await registry.push('a', numbered(at), tag);
    }
    const first = await registry.ask('acr-list-tags', { name: 'a', query: { n: '1', orderby: 'timeasc' } });
    const link = String(first.headers['Link']);
    await registry.ask('acr-delete-tag', { name: 'a', reference: 'a' });
    const query = new URLSearchParams(link.slice(link.indexOf('?') + 1, link.indexOf('>')));
    const second = (await registry.ask('acr-list-tags', { name: 'a', query })).json as { tags: Entry[] };
    assert.deepEqual(
      second.tags.map((tag) => tag.name),
      ['b'],
    );
  });

  test('a repository, its tags and its manifests are described as ACR describes them', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const config = JSON.stringify({ architecture: 'arm64', os: 'linux' });
    await registry.pushBlob('a', config);
    await registry.pushBlob('a', 'layer');
    const digest = await registry.push('a', image(config, ['layer']), 'v1');
    const platform = { architecture: 'arm64', os: 'linux' };
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const parent = await registry.push('a', { ...index([]), manifests: [{ mediaType: type, digest, size: 5, platform }] }, 'all');
    const subject = { mediaType: type, digest, size: 5 };
    await registry.push('a', index([], { subject, artifactType: 'application/vnd.cncf.notary.signature' }));
    const time = new Date(registry.clock.time).toISOString().replace('Z', '0000Z');
    const times = { createdTime: time, lastUpdateTime: time };
    const changeableAttributes = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };
    const imageName = { registry: 'localhost', imageName: 'a' };
    assert.match(time, /\.\d{7}Z$/);
    assert.deepEqual((await registry.ask('acr-get-repository', { name: 'a' })).json, {
      ...imageName,
      ...times,
      manifestCount: 3,
      tagCount: 2,
      changeableAttributes,
    });
    assert.deepEqual((await registry.ask('acr-get-tag', { name: 'a', reference: 'v1' })).json, {
      ...imageName,
      tag: { name: 'v1', digest, ...times, signed: true, changeableAttributes },
    });
    assert.deepEqual((await registry.ask('acr-get-manifest', { name: 'a', digest })).json, {
      ...imageName,
      manifest: {
        digest,
        imageSize: config.length + 'layer'.length,
        ...times,
        architecture: 'arm64',
        os: 'linux',
        mediaType: type,
        configMediaType: 'application/vnd.oci.image.config.v1+json',
        tags: ['v1'],
        changeableAttributes,
      },
    });
    const { manifest } = (await registry.ask('acr-get-manifest', { name: 'a', digest: parent })).json as {
      manifest: { references: unknown };
    };
    assert.deepEqual(manifest.references, [{ digest, ...platform }]);
    assert.equal((await registry.ask('acr-get-manifest', { name: 'a', digest: digestOf('none') })).error, 'MANIFEST_UNKNOWN');
  });

  test('counts are exact after any pushes and deletes', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await Promise.all(Array.from({ length: 12 }, (_, at) => registry.push('a', numbered(at % 4), `t${at % 6}`)));
    const digest = await registry.push('a', numbered(1), 't0', {
      query: new URLSearchParams([
        ['tag', 't1'],
        ['tag', 'more'],
      ]),
    } as never);
    await Promise.all(['t2', 't3', 't2'].map((reference) => registry.ask('acr-delete-tag', { name: 'a', reference })));
    await Promise.all([0, 1].map(() => registry.ask('delete-manifest', { name: 'a', reference: digest })));
    const { manifestCount, tagCount } = (await registry.ask('acr-get-repository', { name: 'a' })).json as Record<string, number>;
    const rows = async (table: 'manifests' | 'tags'): Promise<number> =>
      (await registry.database.read.selectFrom(table).selectAll().execute()).length;
    assert.deepEqual([manifestCount, tagCount], [await rows('manifests'), await rows('tags')]);
  });
});
