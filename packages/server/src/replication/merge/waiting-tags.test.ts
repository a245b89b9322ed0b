import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import { readLog, untilSettled } from '../../changes/index.ts';
import { digestOf } from '../../catalog/test-catalog.ts';
import { contents } from '../../catalog/test-model.ts';
import { HistoryRun, knownContents } from './test-history.ts';
import { contentOf, openRegions } from './test-regions.ts';

const byDigest = new Map(contents.map((content) => [digestOf(content), content]));
for (const [digest, content] of byDigest) knownContents.set(digest, content);
const at = { east: 0, west: 1 } as const;
const [first, second, third] = [0, 1, 2] as const;

async function opened(engine: TestEngine, t: TestContext) {
  const regions = await (await openRegions(engine, t, ['east', 'west']))(byDigest);
  const run = new HistoryRun(regions, [0, 0]);
  const [east, west] = regions;
  assert.ok(east !== undefined && west !== undefined);
  /** Everybody hears everything, and all come to the same, by the rule. */
  const settled = async (): Promise<void> => {
    await run.settle();
    assert.deepEqual(await contentOf(west), await contentOf(east));
    assert.deepEqual(await run.shown(), await run.expected());
  };
  return { run, east, west, settled };
}

forEachEngine((engine) => {
  test('a tag that was on its way to a manifest goes with it when that is deleted here', async (t) => {
    const { run, settled } = await opened(engine, t);
    await run.step({ do: 'push', at: at.east, repository: 'a', manifest: first, tags: ['latest'] });
    await run.settle();
    await run.step({ do: 'push', at: at.east, repository: 'a', manifest: second, tags: ['latest'] });
    // West hears of it, and before its content has come somebody makes the same there, and deletes it.
    await run.step({ do: 'pull', at: at.west, from: at.east, size: 6 });
    await run.step({ do: 'wait', at: at.west, ms: 1000 });
    await run.step({ do: 'push', at: at.west, repository: 'a', manifest: second, tags: ['v1'] });
    await run.step({ do: 'delete', at: at.west, repository: 'a', manifest: second });
    await settled();
  });

  test('a tag that came before its manifest shows it when that is pushed here', async (t) => {
    const { run, east, west, settled } = await opened(engine, t);
    await run.step({ do: 'push', at: at.east, repository: 'a', manifest: first, tags: ['latest'] });
    await untilSettled(east.catalog.database, AbortSignal.timeout(60_000));
    const { entries } = await readLog(east.catalog.database, { registryId: east.registryId, after: 0, limit: 10 });
    await west.merge({ source: 'east', told: entries.filter(({ action }) => action === 'tag'), toldAt: 1 });
    await run.step({ do: 'wait', at: at.west, ms: 1000 });
    await run.step({ do: 'push', at: at.west, repository: 'a', manifest: first, tags: ['v1'] });
    await settled();
  });

  test('a tag that waits for its manifest is locked at once', async (t) => {
    const { run, settled } = await opened(engine, t);
    await run.step({ do: 'push', at: at.east, repository: 'a', manifest: first, tags: ['v1'] });
    await run.settle();
    await run.step({ do: 'push', at: at.west, repository: 'a', manifest: second, tags: ['v1'] });
    await run.step({ do: 'lock-tag', at: at.west, repository: 'a', tag: 'v1', flag: 'writeEnabled', isOn: false });
    await run.step({ do: 'pull', at: at.east, from: at.west, size: 6 });
    await run.step({ do: 'push', at: at.east, repository: 'a', manifest: third, tags: ['v1'] });
    await settled();
  });
});
