import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { Webhook } from 'standardwebhooks';
import { callbackOf } from '../callback.ts';
import { exchangeOf } from '../events/list-events.ts';
import type { StoredEvent } from '../events/queries.ts';
import { type Received, startReceiver, status } from '../test-receiver.ts';
import { type TestWebhooks, dayMs, openTestWebhooks, pushOf } from '../test-webhooks.ts';
import { forgetOldEvents } from './forget-old-events.ts';
import { claimEvents } from './transactions.ts';

const minuteMs = 60_000;
const actions = ['push'];

async function push(webhooks: TestWebhooks, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const [repository = '', tag = ''] = name.split(':');
    await webhooks.log([pushOf(repository, tag)]);
  }
  await webhooks.follow();
}

async function only(webhooks: TestWebhooks, name = 'hook1'): Promise<StoredEvent> {
  const [event] = await webhooks.events(name);
  assert.ok(event !== undefined);
  return event;
}

forEachEngine((engine) => {
  describe('delivery', () => {
    test('a receiver checks the signature with the library of the standard; custom headers come along', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      webhooks.clock.time = Date.now();
      const receiver = await startReceiver(t);
      const customHeaders = { Authorization: 'Bearer of-the-receiver', 'content-type': 'application/vnd.mine+json' };
      await webhooks.put('hook1', { serviceUri: receiver.url, actions, customHeaders, signingSecret: 'generate' });
      await push(webhooks, 'app:v1');
      await webhooks.deliver();
      const [received] = receiver.received;
      assert.ok(received !== undefined);
      const { signingSecret = '' } = callbackOf(
        webhooks.context.keys,
        webhooks.registry.id,
        (await webhooks.find('hook1')).properties,
      );
      const verified = new Webhook(signingSecret).verify(received.body, received.headers as Record<string, string>);
      assert.equal((verified as { id: string }).id, received.headers['webhook-id']);
      assert.equal(received.headers['authorization'], 'Bearer of-the-receiver');
      assert.equal(received.headers['content-type'], 'application/vnd.mine+json');
      assert.throws(() => new Webhook(signingSecret).verify(`${received.body} `, received.headers as Record<string, string>));
      const event = await only(webhooks);
      assert.deepEqual([event.status, event.attempts, event.next_at], ['delivered', 1, null]);
      assert.doesNotMatch(JSON.stringify(event), /of-the-receiver|whsec_/);
    });

    test('other shapes: Event Grid and CloudEvents', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      for (const payloadFormat of ['eventGrid', 'cloudEvents']) {
        receiver.received.length = 0;
        await webhooks.put('hook1', { serviceUri: receiver.url, actions, payloadFormat });
        await push(webhooks, 'app:v1');
        await webhooks.deliver();
        const [{ headers, body } = { headers: {} as Received['headers'], body: '' }] = receiver.received;
        const json: unknown = JSON.parse(body);
        const event = (Array.isArray(json) ? json[0] : json) as Record<string, unknown>;
        const { id, timestamp } = event['data'] as { id: string; timestamp: string };
        const { resourceId } = webhooks.registry;
        if (payloadFormat === 'eventGrid') {
          assert.deepEqual(
            [Object.keys(event), event['id'], event['topic'], event['subject'], event['eventType'], event['eventTime']],
            [
              ['id', 'topic', 'subject', 'eventType', 'eventTime', 'data', 'dataVersion', 'metadataVersion'],
              id,
              resourceId,
              'app:v1',
              'Microsoft.ContainerRegistry.ImagePushed',
              timestamp,
            ],
          );
          assert.equal(headers['aeg-event-type'], 'Notification');
        } else {
          assert.deepEqual(
            [event['specversion'], event['id'], event['source'], event['subject'], event['type'], event['time']],
            ['1.0', id, resourceId, 'app:v1', 'Microsoft.ContainerRegistry.ImagePushed', timestamp],
          );
          assert.equal(headers['content-type'], 'application/cloudevents+json; charset=utf-8');
        }
      }
    });

    test('events of a repository go in order, those of another do not wait', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      receiver.answer = (response, { body }) => void response.writeHead(body.includes('"tag":"bad"') ? 500 : 200).end();
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1', 'a:bad', 'a:v2', 'b:v1', 'b:v2');
      await webhooks.deliver();
      const told = (): readonly string[] =>
        receiver.bodies().map(({ target: { repository, tag } }) => `${String(repository)}:${String(tag)}`);
      const ofA = told().filter((name) => name.startsWith('a:'));
      assert.deepEqual(ofA, ['a:v1', 'a:bad']);
      assert.deepEqual(
        told().filter((name) => name.startsWith('b:')),
        ['b:v1', 'b:v2'],
      );
      receiver.answer = status(200);
      receiver.received.length = 0;
      webhooks.clock.time += minuteMs;
      await webhooks.deliver();
      assert.deepEqual(told(), ['a:bad', 'a:v2']);
    });

    test('a receiver that answers 500 for hours is tried ever more seldom for a day, then the next event has its turn', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t, status(500));
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1');
      webhooks.clock.time += 60 * minuteMs;
      await push(webhooks, 'a:v2');
      const began = (await only(webhooks)).created_at;
      const times: number[] = [];
      for (let rounds = 0; (await only(webhooks)).status === 'waiting'; rounds += 1) {
        assert.ok(rounds < 100);
        await webhooks.deliver();
        times.push(webhooks.clock.time - began);
        const { next_at, status: state } = await only(webhooks);
        if (state === 'waiting' && next_at !== null) webhooks.clock.time = next_at;
      }
      assert.ok((times.at(-1) ?? 0) <= dayMs && (times.at(-1) ?? 0) > dayMs - 80 * minuteMs, String(times));
      assert.ok(times.length > 20 && times.length < 60, String(times.length));
      const [first, second] = await webhooks.events('hook1');
      assert.deepEqual([first?.status, second?.status], ['failed', 'waiting']);
      assert.equal(exchangeOf(first?.last_exchange ?? null)?.response?.status, 500);
      receiver.answer = status(200);
      webhooks.clock.time += minuteMs;
      await webhooks.deliver();
      webhooks.clock.time += 70 * minuteMs;
      await webhooks.deliver();
      assert.equal((await webhooks.events('hook1'))[1]?.status, 'delivered');
    });

    test('410 gives an event up at once, 429 is asked when it says', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t, status(410));
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1');
      await webhooks.deliver();
      assert.deepEqual([(await only(webhooks)).status, receiver.received.length], ['failed', 1]);
      receiver.answer = status(429, { 'Retry-After': '600' });
      await push(webhooks, 'b:v1');
      await webhooks.deliver();
      const second = (await webhooks.events('hook1'))[1];
      assert.equal(second?.next_at, webhooks.clock.time + 600_000);
    });

    test('attack 27: a redirect is not followed, wherever it leads', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const inside = await startReceiver(t);
      const receiver = await startReceiver(t, status(307, { Location: inside.url }));
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1');
      await webhooks.deliver();
      assert.deepEqual([receiver.received.length, inside.received.length], [1, 0]);
      const event = await only(webhooks);
      assert.deepEqual([event.status, exchangeOf(event.last_exchange)?.response?.status], ['waiting', 307]);
    });

    test('attack 27: an inner address is not asked unless the operator allows it', async (t) => {
      const webhooks = await openTestWebhooks(engine, t, { allow: [] });
      const receiver = await startReceiver(t);
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1');
      await webhooks.deliver();
      assert.equal(receiver.received.length, 0);
      assert.match(exchangeOf((await only(webhooks)).last_exchange)?.problem ?? '', /not|private|public/);
    });

    test('an answer of a gigabyte is cut off, and counts by its status', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      let isCutOff = false;
      let sentBytes = 0;
      const receiver = await startReceiver(t);
      receiver.answer = (response) => {
        response.writeHead(200, { 'Content-Length': String(2 ** 30) });
        response.on('close', () => {
          isCutOff = true;
        });
        const chunk = Buffer.alloc(65_536, 'a');
        const more = (): void => {
          if (isCutOff) return;
          sentBytes += chunk.length;
          response.write(chunk, () => setImmediate(more));
        };
        more();
      };
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1');
      await webhooks.deliver();
      const event = await only(webhooks);
      assert.equal(event.status, 'delivered');
      assert.ok((event.last_exchange?.length ?? 0) < 8192);
      assert.ok(sentBytes < 2 ** 26, `${sentBytes} bytes were taken`);
    });

    test('nobody listens, and there is no such name: both are tried again and said', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      receiver.close();
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await webhooks.put('hook2', { serviceUri: 'http://no-such-host.invalid/', actions });
      await push(webhooks, 'a:v1');
      await webhooks.deliver();
      for (const name of ['hook1', 'hook2']) {
        const event = await only(webhooks, name);
        assert.equal(event.status, 'waiting');
        assert.match(exchangeOf(event.last_exchange)?.problem ?? '', /cannot be reached/);
      }
    });

    test('a crash between delivery and its record: the same event comes again', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const { context, clock, registry } = webhooks;
      const receiver = await startReceiver(t);
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1', 'a:v2');
      const { webhook } = await only(webhooks);
      // A process that takes it, sends it and dies before it says so.
      const heldUntil = clock.time + minuteMs;
      const wanted = [{ registryId: registry.id, webhook, limit: 10 }];
      const claimed = await context.database.write(claimEvents, { wanted, now: clock.time, heldUntil });
      assert.equal(claimed.length, 1, 'the second waits for the first');
      await webhooks.deliver();
      assert.equal(receiver.received.length, 0, 'it is held');
      clock.time += minuteMs;
      await webhooks.deliver();
      assert.deepEqual(
        receiver.bodies().map(({ id }) => id),
        (await webhooks.events('hook1')).map(({ event_id }) => event_id),
      );
      assert.equal(JSON.parse(claimed[0]?.payload ?? '').id, receiver.bodies()[0]?.id);
    });

    test('several processes send each event once', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, ...Array.from({ length: 40 }, (_, n) => `r${n % 10}:v${n}`));
      const processes = [1, 2, 3].map(() => webhooks.deliveries());
      await Promise.all(
        processes.map(async (each) => {
          await each.begin();
          await each.settled();
        }),
      );
      // What one of them let go, another may have been too late to see.
      await webhooks.deliver();
      const ids = receiver.bodies().map(({ id }) => id);
      assert.deepEqual([ids.length, new Set(ids).size], [40, 40]);
      for (let repository = 0; repository < 10; repository += 1) {
        const tags = receiver
          .bodies()
          .flatMap(({ target }) => (target['repository'] === `r${repository}` ? [target['tag']] : []));
        assert.deepEqual(
          tags,
          [0, 1, 2, 3].map((n) => `v${n * 10 + repository}`),
        );
      }
    });

    test('what waits is not sent once a webhook is disabled or deleted', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await push(webhooks, 'a:v1', 'a:v2', 'b:v1');
      await webhooks.patch('hook1', { status: 'disabled' });
      await webhooks.deliver();
      const events = await webhooks.events('hook1');
      assert.deepEqual(
        events.map((event) => event.status),
        ['failed', 'failed', 'failed'],
      );
      assert.match(exchangeOf(events[0]?.last_exchange ?? null)?.problem ?? '', /disabled/);
      await webhooks.patch('hook1', { status: 'enabled' });
      await push(webhooks, 'a:v3');
      await webhooks.remove('hook1');
      // One of the same name is another one: it gets nothing of what the first one was to get.
      await webhooks.put('hook1', { serviceUri: receiver.url, actions });
      await webhooks.deliver();
      assert.deepEqual([receiver.received.length, (await webhooks.events('hook1')).length], [0, 0]);
    });

    test('events are forgotten once they are old, but none that still waits', async (t) => {
      const webhooks = await openTestWebhooks(engine, t, { webhookEventRetentionMs: 7 * dayMs, webhookRetryTimeMs: 30 * dayMs });
      const receiver = await startReceiver(t);
      const refusing = await startReceiver(t, status(500));
      await webhooks.put('taken', { serviceUri: receiver.url, actions });
      await webhooks.put('refused', { serviceUri: refusing.url, actions });
      await push(webhooks, 'app:old');
      await webhooks.deliver();
      webhooks.clock.time += 6 * dayMs;
      await push(webhooks, 'app:new');
      await webhooks.deliver();
      const tagsOf = async (name: string): Promise<unknown> => (await webhooks.events(name)).map(({ tag }) => tag);
      await forgetOldEvents(webhooks.context);
      assert.deepEqual(await tagsOf('taken'), ['old', 'new']);
      webhooks.clock.time += 2 * dayMs;
      await forgetOldEvents(webhooks.context);
      assert.deepEqual(await tagsOf('taken'), ['new']);
      assert.deepEqual(await tagsOf('refused'), ['old', 'new']);
    });

    test('attack 30: another address gets neither headers nor signatures of the one before, but what waits', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const [before, after] = [await startReceiver(t, status(500)), await startReceiver(t)];
      const customHeaders = { Authorization: 'secret-of-before' };
      await webhooks.put('hook1', { serviceUri: before.url, actions, customHeaders, signingSecret: 'generate' });
      await push(webhooks, 'a:v1');
      await webhooks.deliver();
      assert.equal(before.received[0]?.headers.authorization, 'secret-of-before');
      assert.ok(before.received[0]?.headers['webhook-signature'] !== undefined);
      await webhooks.patch('hook1', { serviceUri: after.url });
      webhooks.clock.time += minuteMs;
      await webhooks.deliver();
      assert.deepEqual([before.received.length, after.received.length], [1, 1]);
      const { headers = {} } = after.received[0] ?? {};
      assert.deepEqual([headers['authorization'], headers['webhook-signature']], [undefined, undefined]);
      // The same origin keeps them.
      await webhooks.patch('hook1', { customHeaders, signingSecret: 'generate' });
      await webhooks.patch('hook1', { serviceUri: `${after.url}/other` });
      await push(webhooks, 'a:v2');
      await webhooks.deliver();
      const last = after.received.at(-1);
      assert.deepEqual([last?.path, last?.headers['authorization']], ['/hook/other', 'secret-of-before']);
      assert.ok(last?.headers['webhook-signature'] !== undefined);
    });
  });
});
