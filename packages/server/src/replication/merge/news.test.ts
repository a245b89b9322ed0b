import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { readLog, untilSettled } from '../../changes/index.ts';
import { digestOf } from '../../catalog/test-catalog.ts';
import { contents } from '../../catalog/test-model.ts';
import { HistoryRun, knownContents } from './test-history.ts';
import { type TestRegion, openRegions, readSnapshotOf } from './test-regions.ts';
import { callHome, holdFeed } from './test-transactions.ts';

const byDigest = new Map(contents.map((content) => [digestOf(content), content]));
for (const [digest, content] of byDigest) knownContents.set(digest, content);
const deletion = { do: 'delete', repository: 'a', manifest: 0 } as const;

/** What webhooks of a region are told of what is in its log. */
async function newsOf({ catalog, registryId }: TestRegion): Promise<readonly string[]> {
  await untilSettled(catalog.database, AbortSignal.timeout(60_000));
  const { entries } = await readLog(catalog.database, { registryId, after: 0, limit: 100 });
  return entries.filter(({ isVisible }) => isVisible).map(({ action }) => action);
}

forEachEngine((engine) => {
  test('a region tells of what was done since it holds a registry, however late it reads of that', async (t) => {
    const fresh = await openRegions(engine, t, ['east', 'west', 'north']);
    const [east, west, north] = await fresh(byDigest);
    assert.ok(east !== undefined && west !== undefined && north !== undefined);
    const run = new HistoryRun([east, west, north], [0, 0, 0]);
    const wait = async (): Promise<void> => run.step({ do: 'wait', at: 0, ms: 60_000 });
    await run.step({ do: 'push', at: 0, repository: 'a', manifest: 0, tags: ['v1'] });
    await run.settle();
    await wait();
    await run.step({ ...deletion, at: 1 });
    await wait();
    // The home region begins to follow a replica only now; north only now becomes one.
    const at = east.catalog.clock.now();
    for (const region of [east, north]) {
      const { database } = region.catalog;
      await database.write(holdFeed, { registryId: region.registryId, region: 'west', at });
    }
    await north.catalog.database.write(callHome, { registryId: north.registryId, region: 'east' });
    const before = { east: await newsOf(east), north: await newsOf(north) };
    for (const region of [east, north]) assert.ok(await readSnapshotOf(west, region));
    assert.deepEqual(await newsOf(east), [...before.east, 'delete']);
    assert.deepEqual(await newsOf(north), before.north);
  });
});
