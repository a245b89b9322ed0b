import assert from 'node:assert/strict';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Outbound, type OutboundErrorKind, type OutboundOptions, OutboundError, createOutbound } from './index.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly seen: IncomingMessage[];
}

async function serve(t: TestContext, handle: Handler): Promise<TestServer> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    handle(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

function open(t: TestContext, options: Partial<OutboundOptions> = {}): Outbound {
  const outbound = createOutbound({ allow: ['127.0.0.1'], ...options });
  t.after(() => outbound.close());
  return outbound;
}

const signal = new AbortController().signal;

async function refusal(work: Promise<unknown>, kind: OutboundErrorKind): Promise<OutboundError> {
  const error = await work.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OutboundError, String(error));
  assert.equal(error.kind, kind, error.message);
  return error;
}

const privateUrls = `
  http://127.0.0.1/ http://2130706433/ http://0177.0.0.1/ http://0x7f.1/ http://0x7f000001/ http://127.1/ http://[::1]/
  http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::127.0.0.1]/ http://[64:ff9b::7f00:1]/
  http://169.254.169.254/latest http://[fd00:ec2::254]/ http://10.1.1.1/ http://0/ http://[::]/ http://224.0.0.1/
  http://１２７.０.０.１/ http://127.0.0.1./ http://localhost/ http://LOCALHOST/
`
  .trim()
  .split(/\s+/);

for (const url of privateUrls) {
  test(`attack 27, 28: ${url} is refused`, async (t) => {
    await refusal(open(t, { allow: [] }).request({ url, signal }), 'refused-address');
  });
}

test('attack 27: other protocols, credentials in addresses and nonsense are refused', async (t) => {
  const outbound = open(t);
  for (const url of [
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'ftp://127.0.0.1/',
    'http://u:p@127.0.0.1/',
    'nonsense',
    'http://',
  ])
    await refusal(outbound.request({ url, signal }), 'invalid-request');
});

test('attack 27: a name with a private address among others is refused', async (t) => {
  const resolve = async () => [
    { address: '1.1.1.1', family: 4 },
    { address: '10.0.0.1', family: 4 },
  ];
  const error = await refusal(open(t, { resolve }).request({ url: 'http://example.com/', signal }), 'refused-address');
  assert.doesNotMatch(error.message, /10\.0\.0\.1/);
});

test('attack 27: a name that rebinds is judged by the lookup whose address is used', async (t) => {
  const server = await serve(t, (_, response) => response.setHeader('connection', 'close').end('inside'));
  let lookups = 0;
  const resolve = async () => {
    lookups += 1;
    return [{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
  };
  const outbound = open(t, { resolve });
  const url = `http://rebind.example:${server.port}/`;
  const answer = await outbound.request({ url, signal });
  assert.equal((await answer.bytes()).toString(), 'inside');
  assert.equal(lookups, 1);
  await refusal(outbound.request({ url, signal }), 'refused-address');
});

test('attack 27: a redirect to a private address is refused', async (t) => {
  const server = await serve(t, (request, response) =>
    response.writeHead(302, { location: decodeURIComponent((request.url ?? '').slice(2)) }).end(),
  );
  const outbound = open(t);
  for (const target of ['http://127.0.0.2/', 'http://169.254.169.254/latest/meta-data', 'http://[::1]/', 'http://2130706434/'])
    await refusal(outbound.request({ url: `${server.url}/?${encodeURIComponent(target)}`, signal }), 'refused-address');
  await refusal(
    outbound.request({ url: `${server.url}/?${encodeURIComponent('file:///etc/passwd')}`, signal }),
    'invalid-request',
  );
  await refusal(outbound.request({ url: `${server.url}/?${encodeURIComponent('http://a:b@127.0.0.1/')}`, signal }), 'redirect');
});

test('attack 29: a redirect to another origin takes no secrets along', async (t) => {
  const other = await serve(t, (_, response) => response.end('found'));
  const server = await serve(t, (request, response) =>
    response.writeHead(307, { location: request.url === '/a' ? '/b' : `${other.url}/c` }).end(),
  );
  const headers = { Authorization: 'Basic c2VjcmV0', Cookie: 'a=b', 'X-Api-Key': 'secret', Range: 'bytes=0-' };
  const answer = await open(t).request({ url: `${server.url}/a`, headers, signal });
  assert.equal((await answer.bytes()).toString(), 'found');
  assert.equal(answer.url.href, `${other.url}/c`);
  assert.equal(server.seen[1]?.headers.authorization, 'Basic c2VjcmV0');
  const received = other.seen[0]?.headers ?? {};
  assert.equal(received['range'], 'bytes=0-');
  for (const name of ['authorization', 'cookie', 'x-api-key']) assert.equal(received[name], undefined, name);
});

test('attack 29: a body never goes to another origin', async (t) => {
  const other = await serve(t, (_, response) => response.end());
  const server = await serve(t, (_, response) => response.writeHead(308, { location: other.url }).end());
  await refusal(open(t).request({ url: server.url, method: 'POST', body: 'password=secret', signal }), 'redirect');
  assert.equal(other.seen.length, 0);
});

test('a POST that is sent elsewhere becomes a GET', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.method === 'POST') response.writeHead(302, { location: '/done' }).end();
    else response.end(`${request.method} ${request.headers['content-type']}`);
  });
  const headers = { 'content-type': 'text/plain' };
  const answer = await open(t).request({ url: server.url, method: 'POST', body: 'x', headers, signal });
  assert.equal((await answer.bytes()).toString(), 'GET undefined');
});

test('redirects have an end, and can be left alone', async (t) => {
  const server = await serve(t, (_, response) => response.writeHead(301, { location: '/again' }).end());
  const outbound = open(t);
  await refusal(outbound.request({ url: server.url, signal }), 'redirect');
  assert.equal(server.seen.length, 6);
  const answer = await outbound.request({ url: server.url, maxRedirects: 0, signal });
  assert.equal(answer.status, 301);
  answer.discard();
});

test('an endless body ends at the bound', async (t) => {
  const server = await serve(t, (_, response) => {
    const more = (): void => void response.write(Buffer.alloc(65_536), (error) => (error ? undefined : setImmediate(more)));
    more();
  });
  const answer = await open(t).request({ url: server.url, maxBytes: 1_000_000, signal });
  await refusal(answer.bytes(), 'too-large');
});

test('a body that announces too much is not read', async (t) => {
  const server = await serve(t, (_, response) => response.writeHead(200, { 'content-length': 2000 }).flushHeaders());
  await refusal(open(t).request({ url: server.url, maxBytes: 1999, signal }), 'too-large');
});

test('a body that breaks off is an error', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 2000 });
    response.write('some', () => response.destroy());
  });
  const answer = await open(t).request({ url: server.url, signal });
  await refusal(answer.bytes(), 'broken');
});

test('a server that does not answer, or stops sending, is given up', async (t) => {
  const silent = await serve(t, () => undefined);
  const halting = await serve(t, (_, response) => void response.write('some'));
  const outbound = open(t, { limits: { answerMs: 50, idleMs: 50 } });
  await refusal(outbound.request({ url: silent.url, signal }), 'timeout');
  await refusal((await outbound.request({ url: halting.url, signal })).bytes(), 'timeout');
});

test('a server that trickles is given up in the end', async (t) => {
  const server = await serve(t, (_, response) => {
    const timer = setInterval(() => response.write('.'), 5);
    response.on('close', () => clearInterval(timer));
  });
  const answer = await open(t).request({ url: server.url, totalMs: 100, signal });
  await refusal(answer.bytes(), 'timeout');
});

test('headers without end, and answers that are not HTTP, are refused', async (t) => {
  const long = await serve(t, (_, response) => response.setHeader('x-long', 'x'.repeat(40_000)).end());
  await refusal(open(t).request({ url: long.url, signal }), 'too-large');
  const tcp = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.9\r\n\r\n'));
  await new Promise<void>((resolve) => void tcp.listen(0, '127.0.0.1', resolve));
  t.after(() => tcp.close());
  await refusal(open(t).request({ url: `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`, signal }), 'broken');
  await refusal(open(t).request({ url: `https://127.0.0.1:${(tcp.address() as AddressInfo).port}`, signal }), 'tls');
});

test('nobody listens', async (t) => {
  const server = createTcpServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  await refusal(open(t).request({ url: `http://127.0.0.1:${port}`, signal }), 'unreachable');
});

test('line breaks and headers of framing cannot be sent', async (t) => {
  const server = await serve(t, (_, response) => response.end());
  const outbound = open(t);
  const bad = [
    { 'X-A': 'a\r\nX-B: b' },
    { 'X-A\r\nX-B': 'a' },
    { Host: 'x' },
    { 'Transfer-Encoding': 'chunked' },
    { 'content-length': '3' },
  ];
  for (const headers of bad)
    await refusal(outbound.request({ url: server.url, headers: { ...headers }, signal }), 'invalid-request');
  await refusal(outbound.request({ url: server.url, method: 'GET / HTTP/1.1\r\nX: y', signal }), 'invalid-request');
  assert.equal(server.seen.length, 0);
});

test('a caller can stop', async (t) => {
  const server = await serve(t, (_, response) => void response.write('some'));
  const outbound = open(t);
  const abort = new AbortController();
  const answer = await outbound.request({ url: server.url, signal: abort.signal });
  const reading = answer.bytes();
  abort.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  await assert.rejects(outbound.request({ url: server.url, signal: abort.signal }), /enough/);
});

test('JSON is read, anything else is said to be none', async (t) => {
  const server = await serve(t, (request, response) => response.end(request.url === '/json' ? '{"a":1}' : '<html>'));
  const outbound = open(t);
  assert.deepEqual(await (await outbound.request({ url: `${server.url}/json`, signal })).json(), { a: 1 });
  await refusal((await outbound.request({ url: server.url, signal })).json(), 'content');
});

test('a name of the allow list may be anywhere, a name without an address is nowhere', async (t) => {
  const server = await serve(t, (_, response) => response.end('inside'));
  const resolve = async (host: string) => (host === 'registry.internal' ? [{ address: '127.0.0.1', family: 4 }] : []);
  const outbound = open(t, { allow: ['registry.internal'], resolve });
  const answer = await outbound.request({ url: `http://registry.internal:${server.port}/`, signal });
  assert.equal((await answer.bytes()).toString(), 'inside');
  await refusal(outbound.request({ url: 'http://nowhere.internal/', signal }), 'unreachable');
});
