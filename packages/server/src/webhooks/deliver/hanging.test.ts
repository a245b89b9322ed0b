import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { exchangeOf } from '../events/list-events.ts';
import { startReceiver } from '../test-receiver.ts';
import { openTestWebhooks, pushOf } from '../test-webhooks.ts';
import type { Exchange } from './exchange.ts';
import { Receivers } from './receivers.ts';

const actions = ['push'];
const request = { uri: '', headers: {} };
const late: Exchange = { at: 0, durationMs: 5_000, request, response: null, problem: 'does not answer in time' };
const good: Exchange = { at: 0, durationMs: 5, request, response: { status: 200, headers: {}, content: '' }, problem: null };

forEachEngine((engine) => {
  test('a receiver that hangs is given up after five seconds, and holds up no other', async (t) => {
    const webhooks = await openTestWebhooks(engine, t, { webhookDeliveries: 4 });
    const hanging = await startReceiver(t);
    hanging.answer = () => undefined;
    const receiver = await startReceiver(t);
    for (let n = 1; n <= 3; n += 1) await webhooks.put(`hanging${n}`, { serviceUri: hanging.url, actions, scope: 'slow/*' });
    await webhooks.put('swift', { serviceUri: receiver.url, actions, scope: 'swift/*' });
    const tell = async (...names: readonly string[]): Promise<void> => {
      await webhooks.log(names.map((name) => pushOf(name, 'v1')));
      await webhooks.follow();
    };
    await tell('swift/first');
    await webhooks.deliver();
    await tell('slow/a', 'slow/b', 'slow/c', 'slow/d');
    const sending = webhooks.deliver();
    await hanging.until(2);
    await tell(...Array.from({ length: 20 }, (_, n) => `swift/r${n}`));
    const began = performance.now();
    const other = webhooks.deliver();
    await receiver.until(21);
    assert.ok(performance.now() - began < 2_500, 'half of all places are free of those that hang');
    await Promise.all([sending, other]);
    assert.equal(hanging.received.length, 3, 'each was tried once, and has its rest');
    const exchanges = (await webhooks.events('hanging1')).map(({ last_exchange }) => exchangeOf(last_exchange));
    assert.ok(
      exchanges.some((exchange) => exchange?.response?.status === 504),
      'as ACR logs it',
    );
  });
});

test('receivers that have proved nothing get one delivery at a time, and half of all together', () => {
  const receivers = new Receivers(8);
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    assert.equal(receivers.room(key, 0), 1);
    receivers.begin(key);
    assert.equal(receivers.room(key, 0), 0);
    receivers.end(key, { exchange: late, nextAt: 10 });
    assert.equal(receivers.room(key, 9), 0, 'it has its rest');
    assert.equal(receivers.room(key, 10), 1);
  }
  receivers.begin('g');
  receivers.end('g', { exchange: good, nextAt: null });
  for (const key of ['a', 'b', 'c', 'd']) receivers.begin(key);
  assert.equal(receivers.room('e', 10), 0);
  assert.equal(receivers.room('g', 10), 4);
  for (let n = 0; n < 4; n += 1) receivers.begin('g');
  receivers.end('a', { exchange: good, nextAt: null });
  assert.equal(receivers.room('a', 10), 1, 'one place is left of all');
  assert.equal(receivers.room('e', 10), 1);
  receivers.end('b', { exchange: { ...good, durationMs: 2_000 }, nextAt: null });
  assert.equal(receivers.room('b', 10), 1, 'slow is not proven');
  receivers.rouse((key) => key === 'f');
  assert.equal(receivers.room('f', 0), 1);
});
