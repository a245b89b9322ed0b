import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { ticksPerMs } from '../changes/index.ts';
import { type TestCatalog, bytesOf } from './test-catalog.ts';
import { assertProjected, entriesOf, list, live, logOf, ofList, ofOne, ofTwo, one, openLogged, two } from './test-log.ts';
import { joinFact } from './test-transactions.ts';

const tagsOf = (...tags: readonly string[]): URLSearchParams => new URLSearchParams(tags.map((tag) => ['tag', tag]));
const patch = (body: object): Buffer => Buffer.from(JSON.stringify(body));

interface Row {
  readonly does: string;
  readonly before?: (catalog: TestCatalog) => Promise<unknown>;
  readonly work: (catalog: TestCatalog) => Promise<unknown>;
  readonly isSoft?: boolean;
  readonly log: readonly string[];
}

const pushed = async (catalog: TestCatalog): Promise<void> => {
  await catalog.push('a', one, 'v1', tagsOf('v2'));
};

const operations: readonly Row[] = [
  { does: 'a push by digest', work: (each) => each.push('a', one), log: [`push ${ofOne}`] },
  { does: 'a push by tags', work: pushed, log: [`-push ${ofOne}`, `tag v1→${ofOne}`, `tag v2→${ofOne}`] },
  {
    does: 'a push of what is there already',
    before: pushed,
    work: (each) => each.push('a', one, 'v1'),
    log: [`-push ${ofOne}`, `tag v1→${ofOne}`],
  },
  {
    does: 'a tag that moves',
    before: pushed,
    work: (each) => each.push('a', two, 'v1'),
    log: [`-push ${ofTwo}`, `tag v1→${ofTwo}`],
  },
  {
    does: 'the push of an index',
    before: async (each) => [await each.push('a', one), await each.push('a', two)],
    work: (each) => each.push('a', list, 'v1'),
    log: [`-push ${ofList}`, ...[`-renew ${ofOne}`, `-renew ${ofTwo}`].toSorted(), `tag v1→${ofList}`],
  },
  {
    does: 'the push of an index that outlived an image',
    before: async (each) => {
      for (const manifest of [one, two, list]) await each.push('a', manifest);
      await each.ask('delete-manifest', { name: 'a', reference: ofTwo });
    },
    work: (each) => each.push('a', list),
    log: [`push ${ofList}`, `-renew ${ofOne}`],
  },
  {
    does: 'the deletion of a manifest',
    before: pushed,
    work: (each) => each.ask('delete-manifest', { name: 'a', reference: ofOne }),
    log: ['-untag v1', '-untag v2', `delete ${ofOne}`],
  },
  {
    does: 'the deletion of a tag',
    before: pushed,
    work: (each) => each.ask('delete-manifest', { name: 'a', reference: 'v1' }),
    log: ['untag v1'],
  },
  {
    does: 'the deletion of a tag that is not there',
    before: pushed,
    work: (each) => each.ask('delete-manifest', { name: 'a', reference: 'v9' }),
    log: [],
  },
  {
    does: 'the deletion of a repository',
    before: pushed,
    work: (each) => each.ask('delete-repository', { name: 'a' }),
    log: ['delete-repository a'],
  },
  {
    does: 'the deletion of a repository into the bin',
    before: pushed,
    work: (each) => each.ask('delete-repository', { name: 'a' }),
    isSoft: true,
    log: ['-untag v1', '-untag v2', `-delete ${ofOne}`, 'delete-repository a'],
  },
  {
    does: 'the restoration of a manifest that was locked for reading',
    before: async (each) => {
      await pushed(each);
      await each.ask('acr-update-manifest', { name: 'a', digest: ofOne, body: patch({ readEnabled: false }) });
      await each.ask('delete-manifest', { name: 'a', reference: ofOne });
    },
    work: (each) => each.ask('acr-restore-manifest', { name: 'a', digest: ofOne, body: patch({}) }),
    isSoft: true,
    log: [`-push ${ofOne}`, `-attributes ${ofOne}`, `tag v1→${ofOne}`, `tag v2→${ofOne}`],
  },
  {
    does: 'a lock of a tag',
    before: pushed,
    work: (each) => each.ask('acr-update-tag', { name: 'a', reference: 'v1', body: patch({ writeEnabled: false }) }),
    log: ['attributes v1'],
  },
  {
    does: 'a decision about what is in quarantine',
    before: pushed,
    work: (each) => each.ask('acr-update-manifest', { name: 'a', digest: ofOne, body: patch({ quarantineState: 'Passed' }) }),
    log: [`attributes ${ofOne}`],
  },
];

forEachEngine((engine) => {
  for (const { does, before, work, isSoft = false, log } of operations)
    test(`the log and the registers have ${does}`, async (t) => {
      const catalog = await openLogged(engine, t, { isSoft });
      await before?.(catalog);
      assert.deepEqual(await logOf(catalog, () => work(catalog)), log);
    });

  test('what matters to other regions alone is left out where there are none', async (t) => {
    const catalog = await openLogged(engine, t, { isReplicated: false });
    await catalog.push('a', one);
    assert.deepEqual(await logOf(catalog, () => pushed(catalog)), [`tag v1→${ofOne}`, `tag v2→${ofOne}`]);
    const deletion = (): Promise<unknown> => catalog.ask('delete-manifest', { name: 'a', reference: ofOne });
    assert.deepEqual(await logOf(catalog, deletion), ['-untag v1', '-untag v2', `delete ${ofOne}`]);
    assert.deepEqual(await catalog.database.read.selectFrom('registers').selectAll().execute(), []);
  });

  test('who asked for it is told with it', async (t) => {
    const catalog = await openLogged(engine, t);
    const headers = { 'user-agent': 'x'.repeat(1000) };
    await catalog.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(one), headers });
    for (const { fact } of await entriesOf(catalog)) {
      const { id, ...request } = fact.request ?? { id: '' };
      assert.notEqual(id, '');
      const said = { host: 'localhost', method: 'PUT', useragent: 'x'.repeat(256), actor: 'test', address: '127.0.0.1' };
      assert.deepEqual(request, said);
      assert.deepEqual(fact.content?.sizeBytes, bytesOf(one).length);
    }
  });

  test('stamps are later than all that was seen, whatever the clock says', async (t) => {
    const catalog = await openLogged(engine, t);
    const clocks = async (): Promise<readonly number[]> => (await entriesOf(catalog)).map(({ fact }) => fact.set?.clock ?? 0);
    await catalog.push('a', one);
    catalog.clock.time -= 3_600_000;
    await catalog.push('a', two);
    const [first = 0, second = 0] = await clocks();
    assert.equal(first, 1_700_000_000_000 * ticksPerMs);
    assert.equal(second, first + 1);
    catalog.clock.time += 7_200_000;
    await catalog.push('a', one);
    assert.equal((await clocks()).at(-1), catalog.clock.time * ticksPerMs);
  });

  test('a refused push tells nothing', async (t) => {
    const catalog = await openLogged(engine, t);
    await pushed(catalog);
    await catalog.ask('acr-update-tag', { name: 'a', reference: 'v1', body: patch({ writeEnabled: false }) });
    const before = await entriesOf(catalog);
    const answer = await catalog.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(two) });
    assert.equal(answer.error, 'REGISTRY_DISALLOWED_OPERATION');
    assert.deepEqual(await entriesOf(catalog), before);
  });

  test('what was said elsewhere after a deletion holds for what is pushed anew', async (t) => {
    const catalog = await openLogged(engine, t);
    await pushed(catalog);
    await catalog.ask('delete-manifest', { name: 'a', reference: 'v1' });
    const entries = await entriesOf(catalog);
    const clock = (entries.at(-1)?.fact.deleted?.clock ?? 0) + 1;
    const stamp = { clock, origin: 'west' };
    const fact: Fact = { kind: 'tag', repository: 'a', name: 'v1', attributes: { write_enabled: { ...stamp, value: 0 } } };
    await catalog.database.write(joinFact, { registryId: catalog.registry.id, fact });
    catalog.clock.time += 1000;
    await catalog.push('a', one, 'v1');
    await assertProjected(catalog);
    assert.deepEqual((await live(catalog))['tag a v1'], { digest: ofOne, said: { write_enabled: 0 } });
  });

  test('pushes and deletions at once leave registers that say what is there', async (t) => {
    const catalog = await openLogged(engine, t, { isSoft: true });
    for (let round = 0; round < 8; round += 1) {
      const name = 'a';
      for (const blob of ['one', 'two']) await catalog.pushBlob(name, blob);
      await Promise.all([
        catalog.ask('put-manifest', { name, reference: 'v1', body: bytesOf(one) }),
        catalog.ask('put-manifest', { name, reference: 'v1', body: bytesOf(two) }),
        catalog.ask('delete-repository', { name }),
        catalog.ask('put-manifest', { name, reference: 'v2', body: bytesOf(one) }),
        catalog.ask('delete-manifest', { name, reference: 'v1' }),
        catalog.ask('delete-manifest', { name, reference: ofOne }),
        catalog.ask('acr-update-tag', { name, reference: 'v1', body: patch({ listEnabled: false }) }),
      ]);
      await assertProjected(catalog);
    }
  });

  test('pushes meet the deletion of the whole repository and leave registers that say what is there', async (t) => {
    const catalog = await openLogged(engine, t);
    for (let round = 0; round < 8; round += 1) {
      for (const blob of ['one', 'two']) await catalog.pushBlob('a', blob);
      await Promise.all([
        ...['v1', 'v2', 'v3'].map((reference) => catalog.ask('put-manifest', { name: 'a', reference, body: bytesOf(one) })),
        catalog.ask('delete-repository', { name: 'a' }),
        catalog.ask('acr-update-tag', { name: 'a', reference: 'v1', body: patch({ listEnabled: false }) }),
        catalog.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(two) }),
      ]);
      await assertProjected(catalog);
    }
  });
});
