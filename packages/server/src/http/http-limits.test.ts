import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type Socket, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { RegistryError } from '../errors/index.ts';
import type { Route } from './route.ts';
import { defaultHttpLimits } from './server-options.ts';
import { exchangeRaw, operationOf, startTestServer } from './test-server.ts';

const get: Route = { operation: operationOf('GET', '/x'), handle: async () => ({ status: 200, body: 'x' }) };
const reading: Route = {
  operation: operationOf('PUT', '/x', { body: 'stream' }),
  handle: async ({ body }) => {
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) size += chunk.length;
    return { status: 200, body: String(size) };
  },
};
const refusing: Route = {
  operation: operationOf('PUT', '/refuse', { body: 'stream' }),
  handle: () => Promise.reject(new RegistryError('MANIFEST_TOO_LARGE')),
};

test('attack 12: what HTTP does not allow is refused in the OCI envelope and the connection ends', async (t) => {
  const { port } = await startTestServer(t, [get, reading]);
  const broken: Readonly<Record<string, string>> = {
    'two lengths': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'two equal lengths': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'length and chunks': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'an unknown coding last': 'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    'chunked twice': 'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
    'a coding with a control character': 'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
    'a space before the colon': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na',
    'a folded header': 'GET /x HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n',
    'a negative length': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
    'a length with a sign': 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na',
    'a bare line feed': 'GET /x HTTP/1.1\nHost: a\n\n',
    'no HTTP at all': '\x16\x03\x01\x02\x00hello\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(broken)) {
    const answer = await exchangeRaw(port, bytes);
    assert.match(answer, /^HTTP\/1\.1 400 /, `${name}: ${answer}`);
    assert.match(answer, /\r\nConnection: close\r\n/, name);
    assert.match(answer, /"errors":\[\{"code":"UNSUPPORTED"/, name);
  }
  const noHost = await exchangeRaw(port, 'GET /x HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(noHost, /^HTTP\/1\.1 400 /);
});

test('attack 12: an absolute address is served by its path', async (t) => {
  const { port } = await startTestServer(t, [get]);
  const answer = await exchangeRaw(
    port,
    'GET http://elsewhere.example/x HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

test('headers are bounded in size and in number', async (t) => {
  const { port } = await startTestServer(t, [get]);
  const large = await exchangeRaw(port, `GET /x HTTP/1.1\r\nHost: a\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 /);
  const many = await exchangeRaw(port, `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'X-A: b\r\n'.repeat(300)}\r\n`);
  assert.match(many, /^HTTP\/1\.1 400 [\s\S]*more than 256 headers/);
  const accepts = await exchangeRaw(
    port,
    `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'Accept: application/json\r\n'.repeat(100)}\r\n`,
  );
  assert.match(accepts, /^HTTP\/1\.1 200 /, 'attack 11: a hundred Accept headers are fine');
});

test('attack 8: headers that do not end are cut off', async (t) => {
  const { port } = await startTestServer(t, [get], { limits: { ...defaultHttpLimits, headersTimeoutMs: 100 } });
  assert.match(await exchangeRaw(port, 'GET /x HTTP/1.1\r\nHost: a\r\nX-Slow: '), /^HTTP\/1\.1 408 /);
});

test('attack 8: a body that comes drop by drop is answered 408 and cut off', async (t) => {
  const limits = { ...defaultHttpLimits, transfer: { windowMs: 60, minBytes: 1000 } };
  const waiting: Route = {
    operation: operationOf('PUT', '/signal', { body: 'stream' }),
    handle: async ({ signal, body }) => {
      body.resume();
      await once(signal, 'abort');
      return { status: 201 };
    },
  };
  const { port, records } = await startTestServer(t, [reading, waiting], { limits });
  const head = (path: string): string => `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome bytes`;
  const answer = await exchangeRaw(port, head('/signal'));
  assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*Connection: close[\s\S]*arrives too slowly/);
  assert.equal(await exchangeRaw(port, head('/x')), '', 'a handler that waits for bytes only loses the connection');
  assert.deepEqual(
    records.map(({ isBroken }) => isBroken),
    [false, true],
  );
});

test('attack 8: a body that the server holds up is not slow', async (t) => {
  const limits = { ...defaultHttpLimits, transfer: { windowMs: 40, minBytes: 1000 } };
  const windows = Promise.withResolvers<void>();
  const pausing: Route = {
    operation: operationOf('PUT', '/x', { body: 'stream' }),
    handle: async ({ body }) => {
      body.pause();
      await windows.promise;
      return { status: 200, body: String((await body.toArray()).reduce((sum: number, chunk: Buffer) => sum + chunk.length, 0)) };
    },
  };
  const { url } = await startTestServer(t, [pausing], { limits });
  // The time is what is tested: three windows must pass.
  setTimeout(() => windows.resolve(), 150);
  assert.equal(await (await fetch(`${url}/x`, { method: 'PUT', body: 'a'.repeat(500_000) })).text(), '500000');
});

test('a client that stops reading its answer is cut off and the source is told', async (t) => {
  const limits = { ...defaultHttpLimits, transfer: { windowMs: 60, minBytes: 1000 } };
  const ended = Promise.withResolvers<void>();
  let produced = 0;
  const endless: Route = {
    operation: operationOf('GET', '/x'),
    handle: async () => ({
      status: 200,
      body: {
        lengthBytes: 1e12,
        open: async function* () {
          try {
            for (;;) {
              produced += 1;
              yield [Buffer.alloc(1024 * 1024)];
            }
          } finally {
            ended.resolve();
          }
        },
      },
    }),
  };
  const { port, records } = await startTestServer(t, [endless], { limits });
  const socket = await connected(t, port);
  socket.pause();
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  await ended.promise;
  assert.ok(produced < 64, `${produced} MiB were read for a client that takes nothing`);
  await nextTurn();
  assert.equal(records[0]?.isBroken, true);
});

test('attack 8: a client that leaves while it uploads or downloads leaves nothing behind', async (t) => {
  const outcome = Promise.withResolvers<boolean>();
  const uploading: Route = {
    operation: operationOf('PUT', '/x', { body: 'stream' }),
    handle: async ({ body, signal }) => {
      body.resume();
      await new Promise((resolve) => body.on('error', () => undefined).on('close', resolve));
      outcome.resolve(signal.aborted);
      return { status: 201 };
    },
  };
  const { port, records } = await startTestServer(t, [uploading]);
  const socket = await connected(t, port);
  socket.write('PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome');
  await nextTurn();
  socket.destroy();
  assert.equal(await outcome.promise, true);
  await nextTurn();
  assert.equal(records[0]?.isBroken, true);
});

test('a body that fails half-way breaks the connection instead of ending short', async (t) => {
  const failing: Route = {
    operation: operationOf('GET', '/x'),
    handle: async () => ({
      status: 200,
      body: {
        lengthBytes: 100,
        open: async function* () {
          yield [Buffer.from('begin')];
          throw new RegistryError('CONTENT_DAMAGED');
        },
      },
    }),
  };
  const early: Route = {
    operation: operationOf('GET', '/early'),
    handle: async () => ({ status: 200, body: { lengthBytes: 100, open: () => failAtOnce() } }),
  };
  const { url } = await startTestServer(t, [failing, early]);
  await assert.rejects(async () => (await fetch(`${url}/x`)).text());
  const answer = await fetch(`${url}/early`);
  assert.equal(answer.status, 500, 'damage that is found before the first byte is still an answer');
  assert.match(await answer.text(), /stored content is damaged/);
});

test('an answer before the end of a small body keeps the connection; of a large one the client sees it, too', async (t) => {
  const { port, url } = await startTestServer(t, [refusing, get]);
  const small = await exchangeRaw(
    port,
    'PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  assert.match(small, /^HTTP\/1\.1 413 [\s\S]*HTTP\/1\.1 200 /);
  for (const body of [Buffer.alloc(200_000), Buffer.alloc(12 * 1024 * 1024)]) {
    const answer = await new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) => {
      const upload = httpRequest(`${url}/refuse`, { method: 'PUT', headers: { 'content-length': body.length } }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, connection: response.headers.connection });
      });
      upload.on('error', reject).end(body);
    });
    assert.deepEqual(answer, { status: 413, connection: 'close' });
  }
});

test('a stop lets requests in work end, tells clients to leave, and takes no new connection', async (t) => {
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const slow: Route = {
    operation: operationOf('GET', '/slow'),
    handle: async () => {
      entered.resolve();
      await leave.promise;
      return { status: 200, body: 'done' };
    },
  };
  const { server, port, url } = await startTestServer(t, [slow]);
  const idle = await connected(t, port);
  const answer = fetch(`${url}/slow`);
  await entered.promise;
  const closing = server.close(10_000);
  await once(idle, 'close');
  await assert.rejects(connected(t, port), { code: 'ECONNREFUSED' });
  leave.resolve();
  const { status, headers } = await answer;
  assert.equal(status, 200);
  assert.equal(headers.get('connection'), 'close');
  await closing;
});

test('a stop cuts off what does not end in the grace time, and waits for its handler', async (t) => {
  const entered = Promise.withResolvers<void>();
  let hasEnded = false;
  const endless: Route = {
    operation: operationOf('GET', '/x'),
    handle: async ({ signal }) => {
      const aborted = once(signal, 'abort');
      entered.resolve();
      await aborted;
      hasEnded = true;
      return { status: 200 };
    },
  };
  const { server, url } = await startTestServer(t, [endless]);
  const answer = assert.rejects(fetch(`${url}/x`));
  await entered.promise;
  await server.close(20);
  assert.equal(hasEnded, true);
  await answer;
});

test('a port that is taken is refused at once', async (t) => {
  const { port } = await startTestServer(t, [get]);
  const { server } = await startTestServer(t, [get]);
  await assert.rejects(server.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE', syscall: 'listen' });
});

test('connections beyond the bound are closed', async (t) => {
  const { port } = await startTestServer(t, [get], { limits: { ...defaultHttpLimits, maxConnections: 1 } });
  await connected(t, port);
  const second = connect({ port, host: '127.0.0.1' });
  second.on('error', () => undefined);
  await once(second, 'close');
});

/** Fails before its first bytes. */
async function* failAtOnce(): AsyncGenerator<Buffer[]> {
  throw new RegistryError('CONTENT_DAMAGED');
}

async function connected(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
