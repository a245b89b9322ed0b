import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { contents, manifests } from '../../catalog/test-model.ts';
import { digestOf } from '../../catalog/test-catalog.ts';
import { PeerError } from '../peers/model.ts';
import { HistoryRun, knownContents } from './test-history.ts';
import { type Contents, contentOf, openRegions } from './test-regions.ts';

const isLong = process.env['BERTH_LONG'] === '1';
const byDigest: Contents = new Map(contents.map((content) => [digestOf(content), content]));
for (const [digest, content] of byDigest) knownContents.set(digest, content);
const names = ['east', 'north', 'west'] as const;

const at = fc.nat({ max: names.length - 1 });
const repository = fc.constantFrom('a', 'a', 'a', 'b');
const tag = fc.constantFrom('v1', 'v2', 'latest');
const manifest = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 4) },
  { weight: 1, arbitrary: fc.nat({ max: manifests.length - 1 }) },
);
const flag = fc.constantFrom('deleteEnabled', 'writeEnabled', 'listEnabled', 'readEnabled');

/** What clients and the network do. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('push'), at, repository, manifest, tags: fc.uniqueArray(tag, { maxLength: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('untag'), at, repository, tag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), at, repository, manifest }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-repository'), at, repository }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lock-tag'), at, repository, tag, flag, isOn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lock-manifest'), at, repository, manifest, flag, isOn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lock-repository'), at, repository, isOn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('decide'), at, repository, manifest, isPassed: fc.boolean() }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('pull'), at, from: at, size: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pull-again'), at, from: at, size: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot'), at, from: at, size: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('complete'), at, size: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), at, ms: fc.integer({ min: 0, max: 600_000 }) }) },
) as fc.Arbitrary<Parameters<HistoryRun['step']>[0]>;

const skews = fc.tuple(...names.map(() => fc.integer({ min: -600_000, max: 600_000 })));

forEachEngine((engine) => {
  test('whatever regions do, and in whatever order they hear of it, they come to the same, by the rule', async (t) => {
    const fresh = await openRegions(engine, t, names);
    const seed = Number(process.env['BERTH_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    t.diagnostic(`seed ${seed} (BERTH_SEED=${seed} runs it again)`);
    await fc.assert(
      fc.asyncProperty(skews, fc.array(step, { minLength: 80, maxLength: 120, size: 'max' }), async (skewsMs, steps) => {
        const regions = await fresh(byDigest);
        const run = new HistoryRun(regions, skewsMs);
        for (const one of steps) await run.step(one);
        await run.settle();
        const [first, ...others] = await Promise.all(regions.map((region) => contentOf(region)));
        for (const [position, other] of others.entries())
          assert.deepEqual(other, first, `${names[position + 1]} differs from ${names[0]}`);
        assert.deepEqual(await run.shown(), await run.expected());
      }),
      {
        seed,
        numRuns: isLong ? 300 : engine.name === 'sqlite' ? 12 : 6,
      },
    );
  });

  test('attack 39: a page from the future is refused whole, and nothing of it stays', async (t) => {
    const [east, west] = await (await openRegions(engine, t, ['east', 'west']))(byDigest);
    assert.ok(east !== undefined && west !== undefined);
    const clock = (east.catalog.clock.now() + 2 * 3_600_000) * 1024;
    const fact = { kind: 'tag', repository: 'a', name: 'v1', set: { clock, origin: 'west', digest: digestOf('x') } } as const;
    const merging = east.merge({ source: 'west', told: [{ action: 'tag', isVisible: true, fact }], toldAt: 1 });
    await assert.rejects(merging, (error) => error instanceof PeerError && error.kind === 'clock');
    assert.deepEqual(await contentOf(east), {});
  });
});
