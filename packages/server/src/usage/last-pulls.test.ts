import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { pino } from 'pino';
import { PullMeter } from './pull-meter.ts';
import { lastPullsOf, trafficSince } from './queries.ts';
import { addRepository } from './test-transactions.ts';

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);

forEachEngine((engine) => {
  test('a tag was pulled when what it names was pulled by its digest', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const { registryId, repositoryId, manifestIds } = await database.write(addRepository, { name: 'a', tags: ['v1', 'v2'] });
    const [manifestId = 0] = manifestIds;
    const clock = { time: 1000, now: () => clock.time };
    const meter = new PullMeter({ database, clock, log: pino({ enabled: false }) });
    const tags = async (): Promise<object> =>
      Object.fromEntries(await lastPullsOf(database.read, repositoryId, { tags: ['v1', 'v2'] }));
    assert.deepEqual(await tags(), {}, 'of what nobody pulled nothing is known');
    meter.pulled({ registryId, repository: 'a', manifestId, tag: 'v1' });
    clock.time = 5000;
    meter.pulled({ registryId, repository: 'a', manifestId, tag: undefined });
    await meter.flush();
    assert.deepEqual(await tags(), { v1: 5000, v2: 5000 });
    const digests = await lastPullsOf(database.read, repositoryId, { digests: ['sha256:1', 'sha256:2'] });
    assert.deepEqual(Object.fromEntries(digests), { 'sha256:1': 5000 });
    assert.deepEqual(await trafficSince(database.read, registryId, 0), { pulls: 2, pushes: 0 });
  });

  test('what went meanwhile does not keep the rest from being written', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const { registryId, repositoryId, manifestIds } = await database.write(addRepository, { name: 'a', tags: ['v1'] });
    const [manifestId = 0] = manifestIds;
    const meter = new PullMeter({ database, clock: { now: () => 7 }, log: pino({ enabled: false }) });
    meter.pulled({ registryId, repository: 'gone', manifestId: manifestId + 1000, tag: 'gone' });
    meter.pulled({ registryId, repository: 'a', manifestId, tag: 'v1' });
    await meter.flush();
    assert.deepEqual(await lastPullsOf(database.read, repositoryId, { tags: ['v1', 'gone'] }), new Map([['v1', 7]]));
    assert.deepEqual(await lastPullsOf(database.read, repositoryId, { tags: [] }), new Map());
  });
});
