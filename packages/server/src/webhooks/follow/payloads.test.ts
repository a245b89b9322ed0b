import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import type { LocalChange } from '../../changes/index.ts';
import { type TestBody, startReceiver } from '../test-receiver.ts';
import { type TestWebhooks, digestA, dockerPush, manifestType, openTestWebhooks, pushOf } from '../test-webhooks.ts';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const all = ['push', 'delete', 'quarantine', 'chart_push', 'chart_delete', 'untag'];
const helmType = 'application/vnd.cncf.helm.config.v1+json';

/** Examples of Microsoft's "Azure Container Registry webhook reference", with values of ours in place of theirs. */
const pushExample = `{"id":"ID","timestamp":"TIME","action":"push","target":{"mediaType":"${manifestType}","size":524,"digest":"${digestA}","length":524,"repository":"hello-world","tag":"v1"},"request":{"id":"3cbb6949-7549-4fa1-86cd-a6d5451dffc7","host":"myregistry.example","method":"PUT","useragent":"docker/17.09.0-ce go/go1.8.3"}}`;
const deleteExample = `{"id":"ID","timestamp":"TIME","action":"delete","target":{"mediaType":"${manifestType}","digest":"${digestA}","repository":"hello-world"},"request":{"id":"3d78b540-ab61-4f75-8ae1-7ca9ecf559b3","host":"myregistry.example","method":"DELETE","useragent":"python-requests/2.18.4"}}`;
const chartExample = (action: string): string =>
  `{"id":"ID","timestamp":"TIME","action":"${action}","target":{"mediaType":"application/vnd.acr.helm.chart","size":524,"digest":"${digestA}","repository":"repo/wordpress","tag":"wordpress-5.4.0.tgz","name":"wordpress","version":"5.4.0.tgz"}}`;

const pythonDelete = {
  id: '3d78b540-ab61-4f75-8ae1-7ca9ecf559b3',
  host: 'myregistry.example',
  method: 'DELETE',
  useragent: 'python-requests/2.18.4',
};
const content = { mediaType: manifestType, sizeBytes: 524 };
const chart = { ...content, artifactType: helmType };

/** The body with what differs each time made the same, byte for byte. */
function normal(body: string, digits: 7 | 9): string {
  const { id, timestamp } = JSON.parse(body) as TestBody;
  assert.match(id, guid);
  assert.match(timestamp, new RegExp(`^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{${digits}}Z$`));
  return body.replace(id, 'ID').replace(timestamp, 'TIME');
}

async function sent(webhooks: TestWebhooks, url: string, { actions = all, scope = '' } = {}): Promise<void> {
  await webhooks.put('hook1', { serviceUri: url, actions, scope });
}

forEachEngine((engine) => {
  describe('what the log means to webhooks', () => {
    test('bodies are those of the documentation of ACR, byte for byte', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      await sent(webhooks, receiver.url, { actions: ['push', 'delete', 'chart_push', 'chart_delete'] });
      await webhooks.log([pushOf('hello-world', 'v1')], dockerPush);
      await webhooks.log([{ action: 'delete', repository: 'hello-world', digest: digestA, content }], pythonDelete);
      await webhooks.follow();
      await webhooks.deliver();
      const bodies = receiver.received.map(({ body }) => normal(body, 9));
      assert.deepEqual(bodies, [pushExample, deleteExample]);
      for (const { method, headers } of receiver.received)
        assert.deepEqual([method, headers['content-type']], ['POST', 'application/json']);
      await webhooks.log([{ action: 'tag', repository: 'repo/wordpress', tag: '5.4.0', digest: digestA, content: chart }]);
      await webhooks.log([{ action: 'delete', repository: 'repo/wordpress', digest: digestA, content: chart, tags: ['5.4.0'] }]);
      await webhooks.follow();
      await webhooks.deliver();
      const charts = receiver.received.filter(({ body }) => body.includes('"chart_'));
      assert.deepEqual(
        charts.map(({ body }) => normal(body, 7)),
        [chartExample('chart_push'), chartExample('chart_delete')],
      );
      // An artifact is an artifact, too: ACR tells of it with a plain push.
      assert.deepEqual(
        receiver
          .bodies()
          .slice(2)
          .map(({ action }) => action),
        ['push', 'chart_push', 'delete', 'chart_delete'],
      );
    });

    test('what happened, and what is told of it', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      await sent(webhooks, receiver.url, { actions: ['push', 'delete', 'untag'] });
      const at = { repository: 'app' };
      const table: readonly (readonly [readonly LocalChange[], readonly string[]])[] = [
        [
          [pushOf('app', 'v1'), pushOf('app', 'v2')],
          ['push app:v1', 'push app:v2'],
        ],
        [[{ action: 'push', ...at, digest: digestA, content }], ['push app']],
        [[{ action: 'push', ...at, digest: digestA, content, isVisible: false }], []],
        [[{ action: 'renew', ...at, digest: digestA }], []],
        [[{ action: 'untag', ...at, tag: 'v1' }], ['untag app:v1']],
        [
          [
            { action: 'untag', ...at, tag: 'v1', isVisible: false },
            { action: 'delete', ...at, digest: digestA },
          ],
          ['delete app'],
        ],
        [[{ action: 'delete-repository', ...at }], ['delete app']],
        [[{ action: 'attributes', ...at, of: undefined, values: { delete_enabled: 0 } }], []],
      ];
      for (const [changes, expected] of table) {
        receiver.received.length = 0;
        await webhooks.log(changes);
        await webhooks.follow();
        await webhooks.deliver();
        const told = receiver.bodies().map(({ action, target: { repository, tag } }) => {
          const name = typeof tag === 'string' ? `${String(repository)}:${tag}` : String(repository);
          return `${action} ${name}`;
        });
        assert.deepEqual(told, expected);
      }
    });

    test('what the registry does by itself names the registry as its host', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      await sent(webhooks, receiver.url, { actions: ['delete'] });
      await webhooks.log([{ action: 'delete', repository: 'app', digest: digestA }]);
      await webhooks.follow();
      await webhooks.deliver();
      const [first] = receiver.bodies();
      assert.deepEqual(
        [first?.request['host'], first?.request['method'], first?.request['useragent']],
        ['myregistry.example', 'DELETE', 'berth'],
      );
    });

    test('with quarantine a push is told as such once it has passed', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const receiver = await startReceiver(t);
      await sent(webhooks, receiver.url, { actions: ['push', 'quarantine'] });
      const told = async (): Promise<readonly string[]> => {
        receiver.received.length = 0;
        await webhooks.follow();
        await webhooks.deliver();
        return receiver.bodies().map(({ action, target: { tag } }) => `${action} ${String(tag)}`);
      };
      await webhooks.log([pushOf('hello-world', 'v0')], dockerPush);
      assert.deepEqual(await told(), ['push v0', 'quarantine v0'], 'without the policy both are told');
      const { registry } = webhooks;
      webhooks.registry = { ...registry, policies: { ...registry.policies, isQuarantineEnabled: true } };
      await webhooks.place({ tags: ['v1', 'v2'] });
      await webhooks.log([pushOf('hello-world', 'v1')], dockerPush);
      assert.deepEqual(await told(), ['quarantine v1']);
      const target = { size: 524, digest: digestA, length: 524, repository: 'hello-world', tag: 'v1' };
      const { id, host, method } = dockerPush;
      assert.equal(JSON.stringify(receiver.bodies()[0]?.target), JSON.stringify(target));
      assert.equal(JSON.stringify(receiver.bodies()[0]?.request), JSON.stringify({ id, host, method }));
      // A second push, and the decision before anybody has read of the push.
      await webhooks.log([pushOf('hello-world', 'v2')], dockerPush);
      await webhooks.place({ quarantineState: 'Passed' });
      const values = { quarantine_state: 'Passed', quarantine_details: '{}' };
      await webhooks.log([{ action: 'attributes', repository: 'hello-world', of: { digest: digestA }, values }]);
      assert.deepEqual(await told(), ['quarantine v2', 'push v1', 'push v2']);
      await webhooks.log([pushOf('hello-world', 'v1')], dockerPush);
      assert.deepEqual(await told(), ['push v1'], 'what has passed is not in quarantine');
      await webhooks.log([
        { action: 'attributes', repository: 'hello-world', of: { digest: digestA }, values: { quarantine_state: 'Failed' } },
      ]);
      assert.deepEqual(await told(), []);
    });

    test('scopes, actions, status and location decide who is told', async (t) => {
      const webhooks = await openTestWebhooks(engine, t, { region: 'westeurope' });
      const hooks = [
        { name: 'everything', properties: {}, location: 'West Europe', expected: 4 },
        { name: 'latest1', properties: { scope: 'app' }, expected: 1 },
        { name: 'tagged1', properties: { scope: 'app:v1' }, expected: 1 },
        { name: 'whole1', properties: { scope: 'app:*' }, expected: 2 },
        { name: 'team1', properties: { scope: 'team/*' }, expected: 1 },
        { name: 'deletes', properties: { actions: ['delete'] }, expected: 0 },
        { name: 'disabled1', properties: { status: 'disabled' }, expected: 0 },
        { name: 'elsewhere', properties: {}, location: 'eastus', expected: 0 },
      ];
      const actions = ['push'];
      for (const { name, properties, location } of hooks)
        await webhooks.put(name, { serviceUri: 'http://127.0.0.1:1/', actions, ...properties }, location);
      await webhooks.log([pushOf('app', 'latest'), pushOf('app', 'v1'), pushOf('team/a', 'v1'), pushOf('application', 'v1')]);
      await webhooks.follow();
      for (const { name, expected } of hooks) assert.equal((await webhooks.events(name)).length, expected, name);
    });

    test('a manifest that goes with a tag is told to who asks for that tag', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      const properties = { serviceUri: 'http://127.0.0.1:1/', actions: ['delete'] };
      await webhooks.put('tagged1', { ...properties, scope: 'app:v1' });
      await webhooks.put('tagged2', { ...properties, scope: 'app:v2' });
      await webhooks.log([{ action: 'delete', repository: 'app', digest: digestA, tags: ['v1'] }]);
      await webhooks.follow();
      assert.deepEqual([(await webhooks.events('tagged1')).length, (await webhooks.events('tagged2')).length], [1, 0]);
      await webhooks.log([{ action: 'delete-repository', repository: 'app' }]);
      await webhooks.follow();
      assert.deepEqual([(await webhooks.events('tagged1')).length, (await webhooks.events('tagged2')).length], [2, 1]);
    });

    test('a webhook is told nothing of what was before it, or while it was disabled', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      await webhooks.log([pushOf('app', 'v1')]);
      webhooks.clock.time += 1;
      await sent(webhooks, 'http://127.0.0.1:1/', { actions: ['push'] });
      await webhooks.log([pushOf('app', 'v2')]);
      await webhooks.follow();
      await webhooks.patch('hook1', { status: 'disabled' });
      await webhooks.log([pushOf('app', 'v3')]);
      webhooks.clock.time += 1;
      await webhooks.follow();
      await webhooks.patch('hook1', { status: 'enabled' });
      await webhooks.log([pushOf('app', 'v4')]);
      await webhooks.follow();
      assert.deepEqual(
        (await webhooks.events('hook1')).map(({ tag }) => tag),
        ['v2', 'v4'],
      );
    });

    test('several processes make each event once, in order', async (t) => {
      const webhooks = await openTestWebhooks(engine, t);
      await sent(webhooks, 'http://127.0.0.1:1/', { actions: ['push'] });
      const tags = Array.from({ length: 450 }, (_, n) => `v${n}`);
      for (const tag of tags) await webhooks.log([pushOf('app', tag)]);
      const made = await Promise.all([1, 2, 3].map(() => webhooks.follow()));
      assert.equal(
        made.reduce((sum, each) => sum + each, 0),
        tags.length,
      );
      const events = await webhooks.events('hook1');
      assert.deepEqual(
        events.map(({ tag }) => tag),
        tags,
      );
      assert.equal(events.filter(({ next_at }) => next_at !== null).length, 1, 'later ones wait for the first');
    });
  });
});
