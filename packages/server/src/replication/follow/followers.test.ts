import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import { digestOf, image } from '../../catalog/test-catalog.ts';
import { type Contents, type TestRegion, contentOf, openRegions } from '../merge/test-regions.ts';
import { type Peer, PeerError } from '../peers/model.ts';
import { takeFeed } from './feed-transactions.ts';
import { type FollowTiming, followFeed } from './follow-feed.ts';
import { back, restore } from './test-transactions.ts';

const timing: FollowTiming = { pollSeconds: 1, pageSize: 3, firstRetryMs: 5, lastRetryMs: 20, holdMs: 15_000, lookMs: 5 };
const transactionsModule = new URL('./test-transactions.ts', import.meta.url);
const contents: Contents = new Map(['config', 'layer'].map((content) => [digestOf(content), content]));

async function open(engine: TestEngine, t: TestContext): Promise<readonly [TestRegion, TestRegion]> {
  const fresh = await openRegions(engine, t, ['east', 'west'], transactionsModule);
  const [east, west] = await fresh(contents);
  assert.ok(east !== undefined && west !== undefined);
  return [east, west];
}

interface Following {
  stop(): Promise<void>;
}

/** `to` follows `from` as a process of its own. */
function follow(t: TestContext, to: TestRegion, peer: Peer, holder = 'a process'): Following {
  const controller = new AbortController();
  const feed = { registryId: to.registryId, registry: 'r', peer, holder, timing };
  const done = followFeed(to.context, feed, controller.signal);
  const stop = async (): Promise<void> => {
    controller.abort();
    await done;
  };
  t.after(stop);
  return { stop };
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `it does not come to it: ${what}`);
    await delay(5);
  }
}

async function feedOf({ catalog, registryId }: TestRegion) {
  return catalog.database.read.selectFrom('region_feeds').selectAll().where('registry_id', '=', registryId).executeTakeFirst();
}

async function push({ catalog }: TestRegion, tag: string, number = tag): Promise<string> {
  await catalog.pushBlob('a', 'config');
  return catalog.push('a', image('config', [], { annotations: { number } }), tag);
}

async function tagsOf({ catalog }: TestRegion): Promise<readonly string[]> {
  return ((await catalog.ask('list-tags', { name: 'a' })).json as { readonly tags?: readonly string[] } | undefined)?.tags ?? [];
}

/** Until both have told each other everything. */
async function level(east: TestRegion, west: TestRegion): Promise<void> {
  await until('both regions are equal', async () => {
    await east.complete(100, [west]);
    await west.complete(100, [east]);
    return JSON.stringify(await contentOf(east)) === JSON.stringify(await contentOf(west));
  });
}

forEachEngine((engine) => {
  test('a snapshot first, then changes; a cut link is told, and what came meanwhile follows', async (t) => {
    const [east, west] = await open(engine, t);
    for (let number = 0; number < 5; number += 1) await push(east, `v${number}`);
    let isCut = false;
    const following = follow(
      t,
      west,
      east.peerFor('west', () => isCut),
    );
    await level(east, west);
    assert.equal((await tagsOf(west)).length, 5);
    await until('the feed is followed', async () => (await feedOf(west))?.behind === 0);
    isCut = true;
    await push(east, 'later');
    await until('the cut is told', async () => (await feedOf(west))?.state === 'unreachable');
    assert.match((await feedOf(west))?.problem ?? '', /east cannot be reached/);
    isCut = false;
    await level(east, west);
    const feed = await feedOf(west);
    assert.deepEqual([feed?.state, feed?.problem, feed?.remedy], ['following', null, null]);
    // A restart goes on where it was.
    await following.stop();
    await push(east, 'after');
    follow(t, west, east.peerFor('west'));
    await level(east, west);
    assert.ok((await tagsOf(west)).includes('after'));
  });

  test('a process that holds a feed keeps others out, and is followed by another when it is dead', async (t) => {
    if (engine.name === 'sqlite') return;
    const [east, west] = await open(engine, t);
    const { database, clock } = west.catalog;
    const now = clock.now();
    const hold = { registryId: west.registryId, region: 'east', holder: 'dead', heldUntil: now + 15_000, now, isAlone: false };
    assert.ok((await database.write(takeFeed, hold)) !== undefined);
    await push(east, 'v1');
    follow(t, west, east.peerFor('west'), 'alive');
    // Some looks of the other.
    await delay(100);
    assert.deepEqual([(await feedOf(west))?.held_by, await tagsOf(west)], ['dead', []]);
    clock.time += 15_000;
    await level(east, west);
    assert.equal((await feedOf(west))?.held_by, 'alive');
  });

  test('a region that was away for too long stops, and says what to do', async (t) => {
    const [east, west] = await open(engine, t);
    const peer = east.peerFor('west');
    const tooOld: Peer = Object.create(peer, {
      name: { value: 'east' },
      isUp: { value: true },
      facts: { value: () => peer.facts() },
      snapshot: {
        value: () =>
          Promise.reject(
            new PeerError('too-old', { region: 'east', message: 'west was away for too long', remedy: 'Make it anew.' }),
          ),
      },
    }) as Peer;
    follow(t, west, tooOld);
    await until('it is stale', async () => (await feedOf(west))?.state === 'stale');
    assert.equal((await feedOf(west))?.remedy, 'Make it anew.');
  });

  test('attack 38: another version and another clock are refused, in words', async (t) => {
    const [east, west] = await open(engine, t);
    east.catalog.clock.time += 2 * 3_600_000;
    await push(east, 'v1');
    follow(t, west, east.peerFor('west'));
    await until('it is refused', async () => (await feedOf(west))?.state === 'refused');
    assert.match((await feedOf(west))?.problem ?? '', /the clock of east is 7200 seconds ahead/);
    assert.deepEqual(await contentOf(west), {});
  });

  test('a region that was restored from an old backup catches up, and nothing comes back from the dead', async (t) => {
    const [east, west] = await open(engine, t);
    let following = [follow(t, west, east.peerFor('west')), follow(t, east, west.peerFor('east'))];
    const stopAll = () => Promise.all(following.map((one) => one.stop()));
    const old = await push(east, 'old');
    await push(west, 'doomed');
    await level(east, west);
    await until('both are level', async () => (await tagsOf(east)).length === 2 && (await tagsOf(west)).length === 2);
    await stopAll();
    const backup = await east.catalog.database.write(back, { registryId: east.registryId });
    following = [follow(t, west, east.peerFor('west')), follow(t, east, west.peerFor('east'))];
    // What the backup does not have: a push, a moved tag and a deletion of its own, and a deletion of the other region.
    for (const catalog of [east.catalog, west.catalog]) catalog.clock.time += 60_000;
    await push(east, 'lost');
    const moved = await push(east, 'old', 'moved');
    await east.catalog.ask('delete-manifest', { name: 'a', reference: old });
    await west.catalog.ask('acr-delete-tag', { name: 'a', reference: 'doomed' });
    await level(east, west);
    assert.deepEqual(await tagsOf(west), ['lost', 'old']);
    await stopAll();
    const before = await contentOf(west);
    await east.catalog.database.write(restore, { registryId: east.registryId, backup });
    assert.ok((await tagsOf(east)).includes('doomed'));
    following = [follow(t, west, east.peerFor('west')), follow(t, east, west.peerFor('east'))];
    await level(east, west);
    assert.deepEqual(await contentOf(east), before);
    assert.deepEqual(await tagsOf(east), ['lost', 'old']);
    assert.equal(
      (await east.catalog.ask('get-manifest', { name: 'a', reference: 'old' })).headers['Docker-Content-Digest'],
      moved,
    );
    // And goes on.
    await push(east, 'new');
    await level(east, west);
    assert.deepEqual(await tagsOf(west), ['lost', 'new', 'old']);
  });
});
