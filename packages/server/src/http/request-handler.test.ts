import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { OciError } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import type { Reply, Route } from './route.ts';
import { defaultHttpLimits } from './server-options.ts';
import { exchangeRaw, operationOf, startTestServer } from './test-server.ts';

const pull = { kind: 'repository', actions: ['pull'] } as const;

function route(method: Route['operation']['method'], path: string, reply: Reply | (() => Promise<Reply>)): Route {
  return { operation: operationOf(method, path), handle: async () => (typeof reply === 'function' ? reply() : reply) };
}

test('every answer says the API version and one id of the request, in all its headers', async (t) => {
  const { url } = await startTestServer(t, [route('GET', '/v2/x', { status: 200 })]);
  for (const path of ['/v2/x', '/v2/nothing/here']) {
    const { headers } = await fetch(url + path);
    assert.equal(headers.get('docker-distribution-api-version'), 'registry/2.0');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(headers.get('x-ms-correlation-request-id'), headers.get('x-request-id'));
  }
});

test("a client's own request id is taken only when it can stand in a log", async (t) => {
  const { url } = await startTestServer(t, [route('GET', '/x', { status: 200 })]);
  const idFor = async (id: string): Promise<string | null> =>
    (await fetch(`${url}/x`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
  assert.equal(await idFor('Build-17.3_a'), 'Build-17.3_a');
  for (const id of ['a b', '{"a":1}', 'a'.repeat(65), '..', '<script>']) assert.notEqual(await idFor(id), id);
});

test('bodies of all kinds carry their length, and HEAD has the length without the body', async (t) => {
  const bodies: Readonly<Record<string, Reply['body']>> = {
    text: 'größer',
    bytes: Buffer.from([1, 2, 3]),
    json: { json: { a: 1 } },
    stream: {
      lengthBytes: 6,
      open: async function* () {
        yield [Buffer.from('ab'), Buffer.from('cd')];
        yield [Buffer.from('ef')];
      },
    },
  };
  const routes = Object.entries(bodies).map(([name, body]) =>
    route('GET', `/${name}`, { status: 200, ...(body !== undefined && { body }) }),
  );
  const { url, records } = await startTestServer(t, routes);
  for (const name of Object.keys(bodies)) {
    const whole = await fetch(`${url}/${name}`);
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.equal(whole.headers.get('content-length'), String(bytes.length), name);
    const head = await fetch(`${url}/${name}`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(bytes.length), name);
    assert.equal((await head.arrayBuffer()).byteLength, 0);
    assert.equal(records.at(-2)?.sentBytes, bytes.length, name);
    assert.equal(records.at(-1)?.sentBytes, 0, name);
  }
});

test('an answer without a body says so, and 204 and 304 say nothing', async (t) => {
  const statuses = [201, 202, 204, 304];
  const { port } = await startTestServer(
    t,
    statuses.map((status) => route('GET', `/${status}`, { status })),
  );
  for (const status of statuses) {
    const answer = await exchangeRaw(port, `GET /${status} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.equal(/\r\nContent-Length: 0\r\n/.test(answer), status < 204, answer);
    assert.doesNotMatch(answer, /Transfer-Encoding/i);
  }
});

test('unknown addresses are 404 and known ones with another method 405 with Allow, in the OCI envelope', async (t) => {
  const { url } = await startTestServer(t, [
    route('GET', '/v2/{name}/tags/list', { status: 200 }),
    route('PUT', '/x', { status: 200 }),
  ]);
  const missing = await fetch(`${url}/v2/a/b`);
  assert.equal(missing.status, 404);
  assert.deepEqual(await missing.json(), { errors: [{ code: 'NOT_FOUND', message: 'there is nothing at this address' }] });
  const wrong = await fetch(`${url}/v2/a/b/tags/list`, { method: 'DELETE' });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD');
  assert.equal(((await wrong.json()) as { errors: { code: string }[] }).errors[0]?.code, 'UNSUPPORTED');
  assert.equal((await fetch(`${url}/x`)).headers.get('allow'), 'PUT');
});

test('expected outcomes are told; of anything else nothing gets out but the id to look it up by', async (t) => {
  const secret = 'SELECT password FROM users /root/secret.key';
  const throwing = (path: string, error: unknown): Route => ({
    operation: operationOf('GET', path),
    handle: () => Promise.reject(error),
  });
  const { url, logged } = await startTestServer(t, [
    throwing(
      '/expected',
      new RegistryError('STORAGE_FULL', { detail: { a: 1 }, headers: { 'Retry-After': '7' }, cause: new Error(secret) }),
    ),
    throwing('/oci', new OciError('DIGEST_INVALID', 'bad digest', { digest: 'x' })),
    throwing('/bug', new Error(secret)),
    throwing('/odd', secret),
  ]);
  const expected = await fetch(`${url}/expected`);
  assert.equal(expected.status, 507);
  assert.equal(expected.headers.get('retry-after'), '7');
  const body = (await expected.json()) as { errors: { code: string; message: string; detail: unknown }[] };
  assert.equal(body.errors[0]?.code, 'DENIED');
  assert.match(body.errors[0]?.message ?? '', /no space left to store this; free space/);
  assert.deepEqual(body.errors[0]?.detail, { a: 1 });
  const oci = await fetch(`${url}/oci`);
  assert.equal(oci.status, 400);
  assert.deepEqual(await oci.json(), { errors: [{ code: 'DIGEST_INVALID', message: 'bad digest', detail: { digest: 'x' } }] });
  for (const path of ['/bug', '/odd']) {
    const bug = await fetch(url + path);
    assert.equal(bug.status, 500);
    const text = await bug.text();
    assert.doesNotMatch(text, /SELECT|secret|Error:|\.ts/);
    const id = bug.headers.get('x-request-id') ?? 'none';
    assert.ok(text.includes(id));
    assert.ok(logged().includes(id));
  }
  assert.match(logged(), /SELECT password/);
});

test('who is not signed in gets one challenge for what the request needs; a token is told what is wrong with it', async (t) => {
  const { url } = await startTestServer(t, [
    { operation: operationOf('GET', '/v2/{name}/tags/list', { permission: pull }), handle: async () => ({ status: 200 }) },
  ]);
  const ask = (authorization?: string) =>
    fetch(`${url}/v2/a/b/tags/list`, authorization === undefined ? {} : { headers: { authorization } });
  const host = new URL(url).host;
  const anonymous = await ask();
  assert.equal(anonymous.status, 401);
  assert.equal(anonymous.headers.get('www-authenticate'), `Bearer realm="http://${host}/oauth2/token",needs="a/b:pull"`);
  assert.deepEqual(((await anonymous.json()) as { errors: { detail: unknown }[] }).errors[0]?.detail, [
    { Type: 'repository', Name: 'a/b', Action: 'pull' },
  ]);
  assert.match((await ask('Bearer bad')).headers.get('www-authenticate') ?? '', /error="invalid_token"$/);
  assert.doesNotMatch((await ask('Basic bad')).headers.get('www-authenticate') ?? '', /error/);
  assert.equal((await ask('Bearer good')).status, 200);
  assert.equal((await ask('Basic good')).status, 200);
});

test('attack 2: a name that breaks the grammar is 400 before anybody is asked to sign in', async (t) => {
  const { port } = await startTestServer(t, [
    { operation: operationOf('GET', '/v2/{name}/tags/list', { permission: pull }), handle: async () => ({ status: 200 }) },
  ]);
  for (const name of [
    'a%252Fb',
    'a%2F..%2Fb',
    '..',
    'A',
    'a//b',
    'a'.repeat(256),
    `a/${'b/'.repeat(2000)}c`,
    '%00',
    '%zz',
    'a%E0%A4%A',
  ]) {
    const answer = await exchangeRaw(port, `GET /v2/${name}/tags/list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /, name);
    assert.match(answer, /"code":"NAME_INVALID"/, name);
  }
});

test('a path that cannot be decoded is 400 in the OCI envelope', async (t) => {
  const { port } = await startTestServer(t, [route('GET', '/v2/{name}/blobs/{digest}', { status: 200 })]);
  const answer = await exchangeRaw(port, 'GET /v2/a/blobs/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*"errors":\[/);
});

test('the record of a request holds no path, no query and no header', async (t) => {
  const { url, records, logged } = await startTestServer(t, [
    {
      operation: operationOf('GET', '/v2/{name}/tags/list', { permission: pull }),
      handle: async () => ({ status: 200, body: 'abc' }),
    },
  ]);
  await (
    await fetch(`${url}/v2/a/b/tags/list?last=hidden-in-query`, {
      headers: { authorization: 'Bearer good', cookie: 'hidden-in-cookie' },
    })
  ).text();
  const [record] = records;
  assert.deepEqual(
    { ...record, requestId: '', durationMs: 0 },
    {
      requestId: '',
      operation: 'get-test',
      method: 'GET',
      status: 200,
      durationMs: 0,
      receivedBytes: 0,
      sentBytes: 3,
      principal: 'admin:test',
      clientAddress: '127.0.0.1',
      isBroken: false,
    },
  );
  assert.doesNotMatch(JSON.stringify(records) + logged(), /hidden|good/);
});

test('what a mount needs of its source is in the challenge', async (t) => {
  const operation = {
    ...operationOf('POST', '/v2/{name}/blobs/uploads/', { permission: { kind: 'repository', actions: ['pull', 'push'] } }),
    id: 'start-upload',
  };
  const { url } = await startTestServer(t, [{ operation, handle: async () => ({ status: 202 }) }]);
  const answer = await fetch(`${url}/v2/a/blobs/uploads/?mount=sha256:aa&from=b/c`, { method: 'POST' });
  assert.match(answer.headers.get('www-authenticate') ?? '', /needs="a:pull a:push b\/c:pull"/);
});

test('requests beyond the bound are told to come back, and health is answered still', async (t) => {
  const held = Promise.withResolvers<void>();
  const limits = { ...defaultHttpLimits, maxRequests: 2 };
  const entered: (() => void)[] = [];
  const slow: Route = {
    operation: operationOf('GET', '/slow', { permission: { kind: 'authenticated' } }),
    handle: async () => {
      entered.pop()?.();
      await held.promise;
      return { status: 200 };
    },
  };
  const { url } = await startTestServer(t, [slow, route('GET', '/healthz', { status: 200 })], { limits });
  const headers = { authorization: 'Basic good' };
  const both = Promise.all([0, 1].map(() => new Promise<void>((resolve) => entered.push(resolve))));
  const first = [fetch(`${url}/slow`, { headers }), fetch(`${url}/slow`, { headers })];
  await both;
  const refused = await fetch(`${url}/slow`, { headers });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  held.resolve();
  for (const answer of first) assert.equal((await answer).status, 200);
});

test('requests that come during the start wait for it', async (t) => {
  const ready = Promise.withResolvers<void>();
  const { url, server } = await startTestServer(t, [route('GET', '/x', { status: 200 })], { ready: ready.promise });
  const waiting = fetch(`${url}/x`);
  assert.equal(await Promise.race([waiting, new Promise((resolve) => setImmediate(() => resolve('waiting')))]), 'waiting');
  ready.resolve();
  assert.equal((await waiting).status, 200);
  assert.equal((await server.request({ method: 'GET', url: '/x' })).status, 200);
});

test('a request without a socket gets the same answer', async (t) => {
  const operation = operationOf('PUT', '/v2/{name}/tags/list', { body: 'stream', permission: pull });
  const { server } = await startTestServer(t, [
    {
      operation,
      handle: async ({ body, params }) => ({
        status: 200,
        body: { json: { name: params['name'], body: (await body.toArray()).join('') } },
      }),
    },
  ]);
  const answer = await server.request({
    method: 'PUT',
    url: '/v2/a/b/tags/list',
    headers: { authorization: 'Basic good' },
    body: 'hello',
  });
  assert.deepEqual(JSON.parse(answer.body.toString()), { name: 'a/b', body: 'hello' });
  assert.equal((await server.request({ method: 'PUT', url: '/v2/a/b/tags/list', body: 'hello' })).status, 401);
});

test('bodies arrive as streams whatever their type says', async (t) => {
  const { url } = await startTestServer(t, [
    {
      operation: operationOf('PUT', '/x', { body: 'stream' }),
      handle: async ({ body }) => ({
        status: 200,
        body: { json: { size: (await body.toArray()).reduce((sum: number, chunk: Buffer) => sum + chunk.length, 0) } },
      }),
    },
  ]);
  for (const type of [
    'application/octet-stream',
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/vnd.oci.image.manifest.v1+json',
  ]) {
    const answer = await fetch(`${url}/x`, { method: 'PUT', headers: { 'content-type': type }, body: '{"not json' });
    assert.deepEqual(await answer.json(), { size: 10 }, type);
  }
  const chunked = await fetch(`${url}/x`, {
    method: 'PUT',
    body: Readable.toWeb(Readable.from([Buffer.alloc(3_000_000)])) as ReadableStream,
    duplex: 'half',
  });
  assert.deepEqual(await chunked.json(), { size: 3_000_000 });
});
