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
    const names = ['slow/a', 'slow/b', 'slow/c', 'slow/d'];
    for (const name of names) await webhooks.log([pushOf(name, 'v1')]);
    await webhooks.follow();
    const sending = webhooks.deliver();
    await hanging.until(4);
    const began = performance.now();
    await webhooks.log(Array.from({ length: 20 }, (_, n) => pushOf(`swift/r${n}`, 'v1')));
    await webhooks.follow();
    await sending;
    assert.ok(performance.now() - began < 9_000, 'those that hang have their rest, instead of all places one after the other');
    await webhooks.deliver();
    assert.equal(receiver.received.length, 20);
    const exchanges = (await webhooks.events('hanging1')).map(({ last_exchange }) => exchangeOf(last_exchange));
    assert.ok(
      exchanges.some((exchange) => exchange?.response?.status === 504),
      'as ACR logs it',
    );
    // From now on they are known to hang: others have room at once.
    webhooks.clock.time += 60_000;
    const again = webhooks.deliver();
    await hanging.until(5);
    await webhooks.log([pushOf('swift/last', 'v1')]);
    await webhooks.follow();
    const other = webhooks.deliver();
    await receiver.until(21);
    await Promise.all([again, other]);
  });
});

test('slow receivers get one delivery at a time, and half of all together', () => {
  const receivers = new Receivers(8);
  assert.equal(receivers.room('a', 0), 4);
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    receivers.begin(key);
    receivers.end(key, { exchange: late, nextAt: 10 });
    assert.equal(receivers.room(key, 9), 0, 'it has its rest');
    assert.equal(receivers.room(key, 10), 1);
  }
  for (const key of ['a', 'b', 'c', 'd']) receivers.begin(key);
  assert.equal(receivers.room('e', 10), 0);
  assert.equal(receivers.room('g', 10), 4);
  for (let n = 0; n < 4; n += 1) receivers.begin('g');
  assert.equal(receivers.room('h', 10), 0, 'all are taken');
  receivers.end('a', { exchange: good, nextAt: null });
  assert.equal(receivers.room('h', 10), 1);
  assert.equal(receivers.room('a', 10), 1);
  receivers.rouse((key) => key === 'f');
  assert.equal(receivers.room('f', 0), 1);
});
