import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ManagerClient, RegistryClient, randomImage, readOwner, startRegistry } from '@berth/testkit';
import { type TestBody, type TestReceiver, startReceiver, status } from './test-receiver.ts';

/** The whole way over HTTP: a real server, pushes of a client, and a receiver that listens. */

interface Scene {
  readonly manager: ManagerClient;
  readonly client: RegistryClient;
  readonly receiver: TestReceiver;
  readonly host: string;
  path(rest?: string): string;
  put(properties?: object): Promise<void>;
}

async function open(t: TestContext): Promise<Scene> {
  const registry = await startRegistry({ settings: { outboundAllow: '127.0.0.1' } });
  const receiver = await startReceiver(t);
  const manager = new ManagerClient(registry.url, await readOwner(registry.dataDir));
  const client = new RegistryClient({ ...registry, scheme: 'basic' });
  t.after(async () => {
    manager[Symbol.dispose]();
    client[Symbol.dispose]();
    await registry.stop();
  });
  const path = (rest = ''): string => manager.provider(`registries/local/webhooks/hook1${rest}`);
  return {
    manager,
    client,
    receiver,
    path,
    host: registry.host,
    put: async (properties = {}) => {
      const all = { serviceUri: receiver.url, actions: ['push', 'delete', 'untag', 'quarantine'], ...properties };
      const answer = await manager.call('PUT', path(), { location: 'local', properties: all });
      assert.equal(answer.status, 201, String(answer.body));
    },
  };
}

function told({ action, target }: TestBody): string {
  const { repository, tag, digest } = target;
  return [action, repository, tag, digest === undefined ? '' : 'digest']
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

test('pushes, untags and deletions of clients are told within moments, with who asked', async (t) => {
  const { client, receiver, put, host } = await open(t);
  await put();
  const image = randomImage();
  const began = performance.now();
  await client.pushImage('team/app', image, 'v1');
  await receiver.until(2);
  t.diagnostic(`told ${Math.round(performance.now() - began)} ms after the push began`);
  const { digest, bytes, mediaType } = image.manifest;
  const [push, quarantine] = receiver.bodies();
  assert.deepEqual([push?.action, quarantine?.action], ['push', 'quarantine']);
  assert.deepEqual(push?.target, {
    mediaType,
    size: bytes.length,
    digest,
    length: bytes.length,
    repository: 'team/app',
    tag: 'v1',
  });
  assert.deepEqual([push?.request['host'], push?.request['method']], [host, 'PUT']);
  const pushed = receiver.received.length;
  for (const address of ['/acr/v1/team%2Fapp/_tags/v1', `/v2/team/app/manifests/${digest}`])
    assert.ok((await client.request('DELETE', address)).status < 300, address);
  await receiver.until(pushed + 2);
  await client.pushImage('team/app', randomImage(), 'v2');
  await receiver.until(pushed + 4);
  await client.request('DELETE', '/acr/v1/team%2Fapp');
  await receiver.until(pushed + 5);
  assert.deepEqual(receiver.bodies().slice(pushed).map(told), [
    'untag team/app v1',
    'delete team/app digest',
    'push team/app v2 digest',
    'quarantine team/app v2 digest',
    'delete team/app',
  ]);
});

test('a push by digest is told without a tag, and scopes are kept', async (t) => {
  const { client, receiver, put } = await open(t);
  await put({ actions: ['push'], scope: 'multi:*' });
  const image = randomImage();
  await client.pushImage('multi', image);
  await client.pushImage('other', image, 'v1');
  await client.pushImage('multi', image, 'v1');
  await receiver.until(2);
  assert.deepEqual(receiver.bodies().map(told), ['push multi digest', 'push multi v1 digest']);
});

test('ping, events and callback config as the resource manager has them; secrets are not in the history', async (t) => {
  const { manager, client, receiver, put, path } = await open(t);
  const customHeaders = { Authorization: 'Bearer topsecret', 'X-Plain': 'other-secret' };
  receiver.answer = (response, { headers }) =>
    void response.writeHead(200, { 'X-Echo': String(headers['x-plain']) }).end(JSON.stringify(headers));
  await put({ serviceUri: `${receiver.url}?code=urlsecret`, actions: ['push'], customHeaders });
  const config = await manager.call('POST', path('/getCallbackConfig'));
  assert.deepEqual(config.json, { serviceUri: `${receiver.url}?code=urlsecret`, customHeaders });
  const ping = await manager.call('POST', path('/ping'));
  assert.equal(ping.status, 200);
  const { id } = ping.json as { id: string };
  await receiver.until(1);
  assert.deepEqual([receiver.bodies()[0]?.id, receiver.bodies()[0]?.action], [id, 'ping']);
  assert.equal(receiver.received[0]?.headers['authorization'], 'Bearer topsecret');
  await client.pushImage('app', randomImage(), 'v1');
  await receiver.until(2);
  for (;;) {
    const listed = await manager.call('POST', path('/listEvents'));
    const { value } = listed.json as { value: readonly ListedEvent[] };
    if (value.some(({ eventResponseMessage: { statusCode } }) => statusCode === undefined)) continue;
    assert.deepEqual(
      value.map(({ eventRequestMessage: { content } }) => content.action),
      ['push', 'ping'],
    );
    const [{ eventRequestMessage: sent, eventResponseMessage: got }] = value as [ListedEvent];
    assert.deepEqual([sent.method, sent.version, sent.headers['Authorization']], ['POST', '1.1', '[redacted]']);
    assert.deepEqual([got.statusCode, got.reasonPhrase], ['200', 'OK']);
    assert.doesNotMatch(JSON.stringify(listed.json), /topsecret|other-secret|urlsecret/);
    return;
  }
});

interface ListedEvent {
  readonly id: string;
  readonly eventRequestMessage: {
    readonly content: TestBody;
    readonly headers: Readonly<Record<string, string>>;
    readonly method: string;
    readonly version: string;
  };
  readonly eventResponseMessage: { readonly statusCode?: string; readonly reasonPhrase?: string };
}

test('a list of many events goes on by its link', async (t) => {
  const { manager, receiver, put, path } = await open(t);
  await put();
  for (let n = 0; n < 105; n += 1) assert.equal((await manager.call('POST', path('/ping'))).status, 200);
  await receiver.until(105);
  const first = (await manager.call('POST', path('/listEvents'))).json as { value: ListedEvent[]; nextLink: string };
  const second = (await manager.call('GET', first.nextLink)).json as { value: ListedEvent[]; nextLink?: string };
  assert.deepEqual([first.value.length, second.value.length, second.nextLink], [100, 5, undefined]);
  assert.equal(new Set([...first.value, ...second.value].map(({ id }) => id)).size, 105);
});

test('with quarantine on, clients push, a scanner passes, and then the push is told', async (t) => {
  const { manager, client, receiver, put } = await open(t);
  await put({ actions: ['push', 'quarantine'] });
  const policies = { quarantinePolicy: { status: 'enabled' } };
  assert.equal((await manager.call('PATCH', manager.provider('registries/local'), { properties: { policies } })).status, 200);
  const image = randomImage();
  await client.pushImage('app', image, 'v1');
  await receiver.until(1);
  const passed = await client.request('PATCH', `/acr/v1/app/_manifests/${image.manifest.digest}`, {
    body: JSON.stringify({ quarantineState: 'Passed', quarantineDetails: '{"state":"scan passed"}' }),
    headers: { 'content-type': 'application/json' },
  });
  assert.ok(passed.status < 300, String(passed.body));
  await receiver.until(2);
  assert.deepEqual(receiver.bodies().map(told), ['quarantine app v1 digest', 'push app v1 digest']);
  assert.equal(receiver.bodies()[1]?.request['method'], 'PUT');
});

test('berth: made, shown, replayed, and what it does not say', async (t) => {
  const { client, receiver } = await open(t);
  const call = async (
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; json: Record<string, unknown> }> => {
    const answer = await client.request(method, `/berth/v1/webhooks${path}`, {
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return {
      status: answer.status,
      json: answer.body.length === 0 ? {} : (JSON.parse(answer.body.toString()) as Record<string, unknown>),
    };
  };
  const customHeaders = { 'X-Key': 'a-header-secret' };
  const properties = { serviceUri: receiver.url, actions: ['push'], customHeaders, signingSecret: 'generate' };
  const made = await call('PUT', '/hook2', { properties });
  assert.equal(made.status, 201);
  assert.match(String(made.json['signingSecret']), /^whsec_/);
  const shown = await call('GET', '/hook2');
  assert.deepEqual(
    [shown.json['isSigned'], shown.json['headers'], shown.json['isHere'], shown.json['waiting']],
    [true, ['X-Key'], true, 0],
  );
  assert.doesNotMatch(JSON.stringify([shown.json, (await call('GET', '')).json]), /whsec_|a-header-secret|\/hook"/);
  receiver.answer = status(410);
  for (const tag of ['v1', 'v2', 'v3']) await client.pushImage('app', randomImage(), tag);
  await receiver.until(3);
  const failed = async (): Promise<readonly { id: string; status: string; tag: string }[]> =>
    ((await call('GET', '/hook2/events')).json['events'] as { id: string; status: string; tag: string }[]).toReversed();
  while ((await failed()).some((event) => event.status !== 'failed'));
  receiver.answer = status(200);
  const [first] = await failed();
  assert.deepEqual((await call('POST', '/hook2/replay', { event: first?.id })).json, { replayed: 1 });
  await receiver.until(4);
  assert.equal(receiver.bodies()[3]?.id, first?.id);
  const span = await call('POST', '/hook2/replay', { since: new Date(0).toISOString() });
  assert.deepEqual([span.status, span.json], [202, { replayed: 3 }]);
  await receiver.until(7);
  assert.deepEqual(
    receiver
      .bodies()
      .slice(4)
      .map(({ target }) => target['tag']),
    ['v1', 'v2', 'v3'],
  );
  while ((await failed()).some((event) => event.status !== 'delivered'));
  for (const [method, path, body] of [
    ['GET', '/none1', undefined],
    ['POST', '/hook2/replay', { event: 'none' }],
    ['GET', '/hook2/events/none', undefined],
  ] as const)
    assert.equal((await call(method, path, body)).status, 404, path);
  for (const wrong of [{}, { event: 'a', since: 'b' }, { since: 'yesterday' }])
    assert.equal((await call('POST', '/hook2/replay', wrong)).status, 400, JSON.stringify(wrong));
  assert.equal((await call('DELETE', '/hook2')).status, 204);
});

test('attack 27, 31: what is refused when a webhook is written', async (t) => {
  const { manager, path } = await open(t);
  const good = { serviceUri: 'https://hooks.example/', actions: ['push'] };
  const wrong: readonly object[] = [
    { serviceUri: 'file:///etc/passwd' },
    { serviceUri: 'gopher://hooks.example/' },
    { serviceUri: 'https://user:password@hooks.example/' },
    { customHeaders: { 'X-A': 'a\r\nX-B: b' } },
    { customHeaders: { 'X A': 'a' } },
    { customHeaders: { Host: 'inside' } },
    { customHeaders: { 'Transfer-Encoding': 'chunked' } },
    { scope: 'a:b:c' },
    { actions: ['pull'] },
    { actions: [] },
    { payloadFormat: 'xml' },
    { signingSecret: 'secret' },
  ];
  for (const each of wrong) {
    const answer = await manager.call('PUT', path(), { location: 'local', properties: { ...good, ...each } });
    assert.equal(answer.status, 400, JSON.stringify(each));
    assert.match(JSON.stringify(answer.json), /InvalidParameter/);
  }
});
