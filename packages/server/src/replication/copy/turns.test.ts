import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Ticket, type Turn, Turns, type Urgency } from './turns.ts';

const { signal } = new AbortController();

function begin(turns: Turns, urgency: Urgency, began: string[], name: string) {
  const end = Promise.withResolvers<void>();
  let turn: Turn | undefined;
  const ticket = new Ticket(urgency);
  const done = turns.run(ticket, signal, async (given) => {
    turn = given;
    began.push(name);
    await end.promise;
  });
  return { end: () => end.resolve(), done, giveWay: () => turn?.giveWay(), hurry: () => turns.hurry(ticket) };
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

test('whoever is waited for goes first, beyond all places', async () => {
  const turns = new Turns(1);
  const began: string[] = [];
  const all = ['a', 'b', 'c'].map((name) => begin(turns, 'small', began, name));
  all.push(begin(turns, 'urgent', began, 'u'), begin(turns, 'urgent', began, 'v'));
  await nextTurn();
  assert.deepEqual(began, ['a', 'u']);
  for (const each of all) each.end();
  await Promise.all(all.map((each) => each.done));
  assert.deepEqual(began, ['a', 'u', 'v', 'b', 'c']);
  assert.equal(turns.taken, 0);
});

test('whose turn is far off may become urgent', async () => {
  const turns = new Turns(1);
  const began: string[] = [];
  const all = ['a', 'b', 'c'].map((name) => begin(turns, 'large', began, name));
  await nextTurn();
  all[2]?.hurry();
  await nextTurn();
  assert.deepEqual(began, ['a', 'c']);
  for (const each of all) each.end();
  await Promise.all(all.map((each) => each.done));
  assert.deepEqual(began, ['a', 'c', 'b']);
  assert.equal(turns.taken, 0);
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
  const waiting = turns.run(new Ticket('small'), stop.signal, async () => void began.push('b'));
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  first.end();
  await first.done;
  await turns.run(new Ticket('large'), signal, async () => void began.push('c'));
  assert.deepEqual(began, ['a', 'c']);
});
