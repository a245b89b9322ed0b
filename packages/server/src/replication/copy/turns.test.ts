import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RateLimit } from './rate-limit.ts';
import { type Turn, Turns, type Urgency } from './turns.ts';

const { signal } = new AbortController();

function begin(turns: Turns, urgency: Urgency, began: string[], name: string) {
  const end = Promise.withResolvers<void>();
  let turn: Turn | undefined;
  const done = turns.run(urgency, signal, async (given) => {
    turn = given;
    began.push(name);
    await end.promise;
  });
  return { end: () => end.resolve(), done, giveWay: () => turn?.giveWay() };
}

test('large copies leave places for small ones', async () => {
  const turns = new Turns(3);
  const began: string[] = [];
  const all = ['a', 'b', 'c'].map((name) => begin(turns, 'large', began, name));
  all.push(begin(turns, 'small', began, 's'), begin(turns, 'small', began, 't'));
  await nextTurn();
  assert.deepEqual(began, ['a', 'b', 's']);
  for (const each of all) each.end();
  await Promise.all(all.map((each) => each.done));
  assert.deepEqual(began.toSorted(), ['a', 'b', 'c', 's', 't']);
  assert.equal(turns.taken, 0);
});

test('whoever is waited for goes first', async () => {
  const turns = new Turns(1);
  const began: string[] = [];
  const all = [begin(turns, 'small', began, 'a'), begin(turns, 'small', began, 'b'), begin(turns, 'urgent', began, 'u')];
  for (const each of all) each.end();
  await Promise.all(all.map((each) => each.done));
  assert.deepEqual(began, ['a', 'u', 'b']);
});

test('a large copy gives way between its parts, and goes on afterwards', async () => {
  const turns = new Turns(1);
  const began: string[] = [];
  const large = begin(turns, 'large', began, 'l');
  await nextTurn();
  await large.giveWay();
  const small = begin(turns, 'small', began, 's');
  const next = begin(turns, 'large', began, 'm');
  const back = large.giveWay();
  await nextTurn();
  assert.deepEqual(began, ['l', 's']);
  small.end();
  await small.done;
  next.end();
  await Promise.all([back, next.done]);
  large.end();
  await large.done;
  assert.equal(turns.taken, 0);
});

test('who no longer waits has no turn', async () => {
  const turns = new Turns(1);
  const began: string[] = [];
  const first = begin(turns, 'small', began, 'a');
  const stop = new AbortController();
  const waiting = turns.run('small', stop.signal, async () => void began.push('b'));
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  first.end();
  await first.done;
  await turns.run('large', signal, async () => void began.push('c'));
  assert.deepEqual(began, ['a', 'c']);
});

test('bytes pass at the rate that is set, all together', async () => {
  const clock = { time: 0, now: () => clock.time };
  const waits: number[] = [];
  const limit = new RateLimit({
    bytesPerSecond: 1_000_000,
    clock,
    wait: async (delayMs) => {
      waits.push(delayMs);
    },
  });
  assert.equal(limit.spend(1000, signal), undefined);
  await limit.spend(99_000, signal);
  await limit.spend(100_000, signal);
  assert.deepEqual(waits, [100, 200]);
  limit.owe(300_000);
  clock.time = 500;
  await limit.spend(10_000, signal);
  assert.deepEqual(waits, [100, 200, 10]);
  // What was not used does not count later.
  clock.time = 10_000;
  await limit.spend(1_000_000, signal);
  assert.equal(waits.at(-1), 1000);
  assert.equal(new RateLimit({ bytesPerSecond: 0, clock, wait: async () => undefined }).spend(1e12, signal), undefined);
});
