import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Chance } from '../chaos/content.ts';
import { type Acknowledged, runHistory } from './history.ts';
import { fakeTimeLibrary } from './region.ts';
import { NamespaceNetwork, missingForNamespaces } from './namespace-network.ts';
import { regionNames } from './region-network.ts';
import { RegionWorld, type WorldOptions } from './region-world.ts';
import { type Happening, expectedOf, happeningsOf } from './rule.ts';
import { pullWhole, seeRepository } from './seen.ts';

const histories = Number(process.env['BERTH_HISTORIES'] ?? (process.env['BERTH_LONG'] === '1' ? 1_000 : 30));
const seed = Number(process.env['BERTH_HISTORY_SEED'] ?? randomInt(2 ** 31));
/** A start takes a second: regions die in some histories, links break in all. */
const killEvery = 5;

test(`attacks 39, 41: ${histories} random histories in three regions end in the same state, by the rule (BERTH_HISTORY_SEED=${seed})`, {
  skip: fakeTimeLibrary === undefined && 'libfaketime is not installed',
}, async (t) => {
  await using world = await RegionWorld.open({ ...harsh, seed });
  t.diagnostic(await runAll(world, histories));
});

test(`attacks 39, 41: the same in network namespaces, where packets are lost (BERTH_HISTORY_SEED=${seed})`, {
  skip: (fakeTimeLibrary === undefined && 'libfaketime is not installed') || missingForNamespaces(),
}, async (t) => {
  await using world = await RegionWorld.open({ ...harsh, seed, network: await NamespaceNetwork.open() });
  t.diagnostic(await runAll(world, Math.ceil(histories / 10)));
});

/** Collection runs all the time, and two clocks are off. */
const harsh: WorldOptions = {
  settings: { garbageDelay: '3s', garbageInterval: '1s' },
  clockOffSeconds: { west: 600, north: -600 },
};

async function runAll(world: RegionWorld, count: number): Promise<string> {
  const regions = regionNames.map((name) => world.regions[name]);
  let done = 0;
  let longestMs = 0;
  for (let index = 0; index < count; index += 1) {
    const repository = `history/${index}`;
    const chance = new Chance(seed + index);
    const acknowledged = await runHistory({ world, repository, chance, clients: 4, steps: 8, mayKill: index % killEvery === 0 });
    done += acknowledged.length;
    const began = performance.now();
    const happenings = happeningsOf(regions, repository);
    requireRecorded(acknowledged, happenings);
    const expected = expectedOf(happenings);
    for (const region of regions) {
      await world.until(`history ${index}: ${region.name} shows what the rule says`, async () => {
        const seen = await seeRepository(region, repository);
        return isDeepStrictEqual(seen, expected) ? undefined : JSON.stringify({ seen, expected, happenings }, undefined, 1);
      });
      for (const digest of expected?.manifests ?? [])
        if (isReadable(expected?.locks ?? {}, digest)) assert.equal(await pullWhole(region, repository, digest), undefined);
    }
    longestMs = Math.max(longestMs, performance.now() - began);
  }
  return `${done} acknowledged; the longest time until all regions were equal was ${Math.round(longestMs)} ms`;
}

function isReadable(locks: Readonly<Record<string, readonly string[]>>, digest: string): boolean {
  return locks[digest]?.includes('readEnabled') !== true;
}

/** Each thing that was acknowledged is in some log, as often as it was acknowledged. */
function requireRecorded(acknowledged: readonly Acknowledged[], happenings: readonly Happening[]): void {
  const left = happenings.map((happening) => ({ happening }));
  for (const { action, name, digest } of acknowledged) {
    const at = left.findIndex(
      ({ happening }) =>
        happening.action === action && happening.name === name && (digest === undefined || happening.digest === digest),
    );
    assert.notEqual(at, -1, `${action} of ${name} was acknowledged and is in no log`);
    left.splice(at, 1);
  }
}
