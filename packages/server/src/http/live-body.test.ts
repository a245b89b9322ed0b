import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Route, RouteRequest } from './route.ts';
import { defaultHttpLimits } from './server-options.ts';
import { operationOf, startTestServer } from './test-server.ts';

function liveRoute(live: (request: RouteRequest) => AsyncIterable<string>): Route {
  return {
    operation: operationOf('GET', '/live'),
    handle: async (request) => ({
      status: 200,
      headers: { 'Content-Type': 'text/event-stream' },
      body: { live: () => live(request) },
    }),
  };
}

test('a live body arrives piece by piece, and ends as its source does', async (t) => {
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { url, records } = await startTestServer(t, [
    liveRoute(async function* () {
      for (const [index, step] of steps.entries()) {
        await step.promise;
        yield `piece ${index} ü\n`;
      }
    }),
  ]);
  const answer = await fetch(`${url}/live`);
  assert.equal(answer.headers.get('transfer-encoding'), 'chunked');
  const reader = (answer.body ?? assert.fail()).getReader();
  for (const [index, step] of steps.entries()) {
    step.resolve();
    const { value } = await reader.read();
    assert.equal(Buffer.from(value ?? []).toString(), `piece ${index} ü\n`);
  }
  assert.equal((await reader.read()).done, true);
  const head = await fetch(`${url}/live`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.deepEqual(
    records.map(({ sentBytes, isBroken }) => [sentBytes, isBroken]),
    [
      [22, false],
      [0, false],
    ],
  );
});

test('silence does not end a live body, whatever the watch of transfers says', async (t) => {
  const limits = { ...defaultHttpLimits, transfer: { windowMs: 20, minBytes: 1000 } };
  const { url } = await startTestServer(
    t,
    [
      liveRoute(async function* () {
        yield 'a';
        // The time is what is tested: several windows pass.
        await delay(150);
        yield 'b';
      }),
    ],
    { limits },
  );
  assert.equal(await (await fetch(`${url}/live`)).text(), 'ab');
});

test('a client that leaves, or takes nothing, ends the source of a live body', async (t) => {
  const limits = { ...defaultHttpLimits, transfer: { windowMs: 60, minBytes: 1000 } };
  const ended: Promise<void>[] = [];
  let pieces = 0;
  const { port, records } = await startTestServer(
    t,
    [
      liveRoute(async function* ({ signal }) {
        const end = Promise.withResolvers<void>();
        ended.push(end.promise);
        try {
          while (!signal.aborted) {
            pieces += 1;
            yield 'x'.repeat(65_536);
          }
        } finally {
          end.resolve();
        }
      }),
    ],
    { limits },
  );
  for (const leaves of [true, false]) {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.write('GET /live HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'readable');
    if (leaves) socket.destroy();
    else socket.pause();
    await ended.at(-1);
  }
  assert.ok(pieces < 1000, `${pieces} pieces were made for clients that take nothing`);
  assert.equal(records.length <= 2, true);
});

test('a live body does not hold up a server that stops', async (t) => {
  const { url, server } = await startTestServer(t, [
    liveRoute(async function* ({ signal }) {
      yield 'a';
      await once(signal, 'abort');
    }),
  ]);
  const answer = await fetch(`${url}/live`);
  const reader = (answer.body ?? assert.fail()).getReader();
  await reader.read();
  const began = performance.now();
  await server.close(60_000);
  assert.ok(performance.now() - began < 5_000, 'it did not wait for the end of the grace time');
  assert.equal((await reader.read()).done, true, 'and the client sees a whole answer');
});
