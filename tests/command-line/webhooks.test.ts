import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { RegistryClient, randomImage, startRegistry } from '@berth/testkit';
import { type BerthRun, failed, runBerth, succeeded } from './run-berth.ts';
import { startBerth } from './start-berth.ts';

interface Receiver {
  readonly url: string;
  readonly received: { readonly body: string; readonly key: string | undefined }[];
  status: number;
}

async function startReceiver(t: TestContext): Promise<Receiver> {
  const receiver = { url: '', received: [] as { body: string; key: string | undefined }[], status: 200 };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      receiver.received.push({ body, key: request.headers['x-key'] as string | undefined });
      response.writeHead(receiver.status).end('thanks');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return receiver;
}

test('a webhook is made, pinged, followed up and replayed, and its secrets are not said again', async (t) => {
  const registry = await startRegistry({ settings: { outboundAllow: '127.0.0.1' } });
  t.after(() => registry.stop());
  const receiver = await startReceiver(t);
  const env = { MY_KEY: 'key-of-the-receiver' };
  const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', registry.dataDir, 'webhook', ...args], { env });
  assert.match(succeeded(await berth('list')), /There are no webhooks/);
  const options = ['--uri', receiver.url, '--action', 'push,delete', '--scope', 'app:*', '--secret-header', 'X-Key=MY_KEY'];
  const made = succeeded(await berth('create', 'deploy', ...options, '--sign'));
  assert.match(made, /berth webhook ping deploy[\s\S]*whsec_[A-Za-z0-9+/]{43}=/);
  const shown = succeeded(await berth('show', 'deploy')) + succeeded(await berth('list'));
  assert.match(shown, /push, delete\nabout app:\*, as acr, signed\nwith the headers X-Key\n0 events wait/);
  assert.doesNotMatch(shown, /whsec_|key-of-the-receiver|\/hook/);
  assert.match(succeeded(await berth('ping', 'deploy')), /The receiver answered 200/);
  assert.equal(receiver.received[0]?.key, 'key-of-the-receiver');
  receiver.status = 410;
  assert.match(failed(await berth('ping', 'deploy')).why, /did not take the ping: it answered 410/);
  const client = new RegistryClient(registry);
  t.after(() => client[Symbol.dispose]());
  await client.pushImage('app', randomImage(), 'v1');
  const events = async (...more: string[]): Promise<{ id: string; action: string; status: string }[]> =>
    JSON.parse(
      succeeded(await runBerth(['--data', registry.dataDir, '--json', 'webhook', 'events', 'deploy', ...more])),
    ) as never;
  let failedOnes = await events('--status', 'failed');
  for (let looks = 0; looks < 20 && !failedOnes.some(({ action }) => action === 'push'); looks += 1)
    failedOnes = await events('--status', 'failed');
  const push = failedOnes.find(({ action }) => action === 'push');
  assert.ok(push !== undefined);
  assert.match(succeeded(await berth('events', 'deploy', push.id)), /"statusCode": "410"[\s\S]*"content": "thanks"/);
  receiver.status = 200;
  assert.match(succeeded(await berth('replay', 'deploy', push.id)), /One event is sent again/);
  assert.match(succeeded(await berth('replay', 'deploy', '--since', '2020-01-01T00:00:00Z')), /events? (?:is|are) sent again/);
  assert.match(succeeded(await berth('update', 'deploy', '--status', 'disabled', '--no-sign')), /is changed/);
  assert.match(succeeded(await berth('show', 'deploy')), /deploy is disabled[\s\S]*not signed/);
  assert.match(succeeded(await berth('delete', 'deploy')), /is deleted/);
});

test('events are followed: each as it is made, and what becomes of it', async (t) => {
  const registry = await startRegistry({ settings: { outboundAllow: '127.0.0.1' } });
  t.after(() => registry.stop());
  const receiver = await startReceiver(t);
  const data = ['--data', registry.dataDir];
  const options = ['--uri', receiver.url, '--action', 'push', '--scope', 'app:*'];
  succeeded(await runBerth([...data, 'webhook', 'create', 'deploy', ...options]));
  using client = new RegistryClient(registry);
  await client.pushImage('app', randomImage(), 'before');
  const events = ['webhook', 'events', 'deploy', '--follow'];
  const [lines, objects] = [startBerth(t, [...data, ...events]), startBerth(t, [...data, '--json', ...events])];
  await Promise.all([lines, objects].map((each) => each.printed(/before/)));
  receiver.status = 503;
  await client.pushImage('app', randomImage(), 'fails');
  await lines.printed(/ push app:fails {2}waiting: answered 503, again at /);
  await objects.printed(/"tag":"fails".*"statusCode":"503"/);
  receiver.status = 200;
  const [, id = ''] = /Z {2}(\S+) {2}push app:fails/.exec(lines.stdout()) ?? [];
  succeeded(await runBerth([...data, 'webhook', 'replay', 'deploy', id]));
  await lines.printed(/ push app:fails {2}delivered/);
  await objects.printed(/"tag":"fails".*"status":"delivered"/);
  const shapes = objects
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => Object.keys(JSON.parse(line) as object).join(' '));
  assert.equal(new Set(shapes).size, 1, 'what is read by a program is always of one shape');
  lines.child.kill('SIGINT');
  assert.equal((await lines.ended()).stderr, '');
});

test('what is refused says what to write', async (t) => {
  const registry = await startRegistry();
  t.after(() => registry.stop());
  const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', registry.dataDir, 'webhook', ...args]);
  assert.match(failed(await berth('create', 'deploy')).why, /whom to tell/);
  assert.match((await berth('create', 'deploy', '--uri', 'ftp://x/')).stderr, /begins with http/);
  assert.match(
    (await berth('create', 'deploy', '--uri', 'https://x.example/', '--action', 'pull')).stderr,
    /must be one of push/,
  );
  assert.match(
    failed(await berth('create', 'deploy', '--uri', 'https://x.example/', '--signing-secret', 'UNSET')).why,
    /UNSET is not set/,
  );
  assert.match((await berth('show', 'nobody')).stderr, /there is no webhook "nobody"/);
});
