import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { sql } from 'kysely';
import { type TestCatalog, digestOf, image, openTestCatalog } from './test-catalog.ts';
import { addRepositories, addTags } from './test-transactions.ts';

/** The query of the `Link` header, if there is one. */
function nextOf(headers: Readonly<Record<string, string | number>>, path: string): URLSearchParams | undefined {
  const link = headers['Link'];
  if (link === undefined) return undefined;
  const match = /^<([^?]+)\?([^>]+)>; rel="next"$/.exec(String(link));
  assert.ok(match !== null, `the link reads ${link}`);
  assert.equal(match[1], path);
  const query = match[2] ?? '';
  // What az follows: every pair has its equals sign (acr-api 1.3).
  for (const pair of query.split('&')) assert.match(pair, /^[^=]+=/);
  return new URLSearchParams(query);
}

async function tagsOf(registry: TestCatalog, query: URLSearchParams | Record<string, string> = {}) {
  const answer = await registry.ask('list-tags', { name: 'a', query });
  assert.equal(answer.status, 200, answer.message);
  return { tags: (answer.json as { tags: string[] }).tags, next: nextOf(answer.headers, '/v2/a/tags/list') };
}

async function allTags(registry: TestCatalog, query: URLSearchParams | Record<string, string> = {}): Promise<string[]> {
  const tags: string[] = [];
  for (let page: URLSearchParams | Record<string, string> | undefined = query; page !== undefined; ) {
    const { tags: some, next } = await tagsOf(registry, page);
    tags.push(...some);
    page = next;
  }
  return tags;
}

const byByte = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

/** What the engine will do, so that a test sees a walk before a user does. */
async function planOf(registry: TestCatalog, engine: TestEngine, query: ReturnType<typeof sql>): Promise<string> {
  const explain = engine.name === 'sqlite' ? sql`explain query plan ${query}` : sql`explain ${query}`;
  const { rows } = await explain.execute(registry.database.read);
  return JSON.stringify(rows);
}

forEachEngine((engine) => {
  test('tags are listed in ASCII order, page by page', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const names = ['b', 'B', 'a', '_x', '0', 'Z', 'a.b', 'a-b', 'a_b', 'ab', 'v1.10', 'v1.2', 'v1.9'];
    await registry.push('a', image('config'), names[0], new URLSearchParams(names.slice(1).map((name) => ['tag', name])));
    const sorted = names.toSorted(byByte);
    assert.deepEqual((await tagsOf(registry)).tags, sorted);
    assert.equal((await tagsOf(registry)).next, undefined);
    assert.deepEqual((await tagsOf(registry, { last: 'a' })).tags, sorted.slice(sorted.indexOf('a') + 1));
    assert.deepEqual((await tagsOf(registry, { last: 'aa', n: '2' })).tags, ['ab', 'b']);
    const first = await tagsOf(registry, { n: '3' });
    assert.deepEqual(first.tags, sorted.slice(0, 3));
    assert.deepEqual(
      [...(first.next ?? [])],
      [
        ['last', sorted[2]],
        ['n', '3'],
      ],
    );
    assert.deepEqual(await tagsOf(registry, { n: '0' }), { tags: [], next: undefined });
    assert.deepEqual(await tagsOf(registry, { n: String(names.length) }), { tags: sorted, next: undefined });
  });

  test('a repository without tags has none; one that was never used is unknown', async (t) => {
    const registry = await openTestCatalog(engine, t);
    assert.equal((await registry.ask('list-tags', { name: 'a' })).error, 'NAME_UNKNOWN');
    await registry.pushBlob('a', 'config');
    await registry.push('a', image('config'));
    assert.deepEqual((await registry.ask('list-tags', { name: 'a' })).json, { name: 'a', tags: [] });
  });

  test('attack 1: page sizes and cursors are bounded, everywhere', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'), 'v0');
    await registry.database.write(addTags, { digest, names: Array.from({ length: 2100 }, (_, at) => `v${at + 1}`) });
    const lists = [
      ['list-tags', { name: 'a' }],
      ['list-repositories', {}],
      ['list-referrers', { name: 'a', digest }],
    ] as const;
    for (const [operation, where] of lists) {
      for (const n of ['-1', '1.5', 'abc', '0x10', ' ', '1e3', '9'.repeat(40), 'NaN']) {
        const refused = await registry.ask(operation, { ...where, query: { n } });
        assert.deepEqual([refused.status, refused.error], [400, 'PAGINATION_NUMBER_INVALID'], `${operation} n=${n}`);
      }
      for (const n of ['2147483647', '999999999999999', '0', ''])
        assert.equal((await registry.ask(operation, { ...where, query: { n } })).status, 200);
      for (const last of ['x'.repeat(100_000), 'a\0b'])
        assert.equal((await registry.ask(operation, { ...where, query: { last } })).status, 400);
      for (const last of ['zzz', '￿', "'; drop table tags; --", '%', '../..', 'x'.repeat(512)]) {
        assert.equal((await registry.ask(operation, { ...where, query: { last } })).status, 200);
      }
    }
    const page = await tagsOf(registry, { n: '2147483647' });
    assert.equal(page.tags.length, 1000);
    assert.equal(page.next?.get('n'), '1000');
    assert.equal((await allTags(registry)).length, 2101);
  });

  test('attack 44: names and filters are values, never SQL', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    await registry.push('a', image('config'), 'v1');
    const hostile = [
      "' or 1=1 --",
      '"; drop table manifests; --',
      '%',
      '_',
      '__proto__',
      'constructor',
      'a%27b',
      '$1',
      '?',
      ':x',
    ];
    for (const value of hostile) {
      assert.equal((await registry.ask('list-tags', { name: value })).error, 'NAME_UNKNOWN');
      assert.equal((await registry.ask('get-manifest', { name: value, reference: 'v1' })).error, 'NAME_UNKNOWN');
      const filtered = await registry.ask('list-referrers', { name: 'a', digest: digestOf('x'), query: { artifactType: value } });
      assert.deepEqual((filtered.json as { manifests: unknown[] }).manifests, []);
      assert.equal((await registry.ask('list-tags', { name: 'a', query: { last: value, orderby: value, n: '5' } })).status, 200);
    }
    assert.deepEqual((await tagsOf(registry)).tags, ['v1']);
  });

  test('property: pages put together are the list, whatever their size and where they begin', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'));
    const tagName = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/);
    const names = fc.sample(tagName, { numRuns: 120, seed: 7 });
    const sorted = [...new Set(names)].toSorted(byByte);
    await registry.database.write(addTags, { digest, names: sorted });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 150 }),
        fc.option(fc.oneof(tagName, fc.constantFrom(...sorted)), { nil: undefined }),
        async (n, last) => {
          const found = await allTags(registry, { n: String(n), ...(last !== undefined && { last }) });
          assert.deepEqual(found, last === undefined ? sorted : sorted.filter((name) => name > last));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the catalog lists what has manifests, in ASCII order, page by page', async (t) => {
    const registry = await openTestCatalog(engine, t);
    assert.deepEqual((await registry.ask('list-repositories', {})).json, { repositories: [] });
    for (const name of ['b', 'a/b', 'a', 'a-b', 'z']) await registry.pushBlob(name, 'config');
    for (const name of ['b', 'a/b', 'a', 'a-b']) await registry.push(name, image('config'));
    assert.deepEqual((await registry.ask('list-repositories', {})).json, { repositories: ['a', 'a-b', 'a/b', 'b'] });
    const pages: string[][] = [];
    for (let page: URLSearchParams | undefined = new URLSearchParams('n=3'); page !== undefined; ) {
      const answer = await registry.ask('list-repositories', { query: page });
      pages.push((answer.json as { repositories: string[] }).repositories);
      page = nextOf(answer.headers, '/v2/_catalog');
    }
    assert.deepEqual(pages, [['a', 'a-b', 'a/b'], ['b']]);
    assert.deepEqual((await registry.ask('list-repositories', { query: { last: 'a-b' } })).json, { repositories: ['a/b', 'b'] });
  });

  test('lists read indexes, however much there is', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const names = Array.from({ length: 3000 }, (_, at) => `team/${at}`);
    await registry.database.write(addRepositories, { registryId: registry.registry.id, names });
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'));
    await registry.database.write(addTags, { digest, names: Array.from({ length: 3000 }, (_, at) => `t${at}`) });
    if (engine.name === 'postgres') await sql`vacuum analyze`.execute(registry.database.read);
    const catalog = await planOf(
      registry,
      engine,
      sql`select name from repositories where registry_id = 1 and listed_at is not null and deleted_at is null and name > 'team/2' order by name limit 100`,
    );
    assert.match(catalog, engine.name === 'sqlite' ? /INDEX repositories_listed/ : /Index Only Scan using repositories_listed/);
    const tags = await planOf(
      registry,
      engine,
      sql`select name from tags where repository_id = 1 and name > 't2' order by name limit 100`,
    );
    assert.match(tags, engine.name === 'sqlite' ? /PRIMARY KEY/ : /Index (Only )?Scan using tags_pkey/);
    const cascade = await planOf(registry, engine, sql`select 1 from tags where manifest_id = 999999`);
    assert.match(cascade, /tags_manifest/);
    const referrers = await planOf(
      registry,
      engine,
      sql`select id from manifests where repository_id = 1 and subject_digest = 'x' and digest > 'a' order by digest limit 100`,
    );
    if (engine.name === 'sqlite') assert.match(referrers, /INDEX manifests_subject/);
    assert.doesNotMatch(catalog + tags + referrers, /TEMP B-TREE|"Sort/);
  });
});
