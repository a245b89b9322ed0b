import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryError } from '../../errors/index.ts';
import { Digests } from './digests.ts';
import { InlineDigest, type RunningDigest } from './running-digest.ts';

const mebibyte = 1024 * 1024;

/** Its thread has started. */
async function openDigests(t: TestContext): Promise<Digests> {
  const digests = new Digests();
  t.after(() => digests.close());
  await untilThreaded(digests);
  return digests;
}

async function untilThreaded(digests: Digests): Promise<void> {
  while (digests.begin('sha256', mebibyte) instanceof InlineDigest) await delay(1);
}

function digestOf(algorithm: string, content: Uint8Array): string {
  return createHash(algorithm).update(content).digest('hex');
}

/** Below, at and above the buffers that go to the thread. */
const chunkSizes = [65_536, 1, 262_144, 262_143, 399_999, 1000, 524_289];

/** Gives all of `content` in chunks of such sizes, each of which is overwritten at once. */
async function feed(running: RunningDigest, content: Uint8Array): Promise<void> {
  for (let start = 0, turn = 0; start < content.length; turn += 1) {
    const chunk = Uint8Array.from(content.subarray(start, start + (chunkSizes[turn % chunkSizes.length] ?? 1)));
    start += chunk.length;
    const pause = running.update(chunk);
    chunk.fill(0);
    await pause;
    if (turn % 5 === 4) running.rest();
  }
}

for (const sizeBytes of [0, 1, 65_536, 65_537, 262_143, 262_144, 9 * mebibyte + 1]) {
  test(`the digest of ${sizeBytes} bytes is what it is in one go`, async (t) => {
    const digests = await openDigests(t);
    const content = randomBytes(sizeBytes);
    for (const algorithm of ['sha256', 'sha512']) {
      for (const announced of [sizeBytes, undefined]) {
        const running = digests.begin(algorithm, announced);
        await feed(running, content);
        assert.equal(await running.end(), digestOf(algorithm, content));
      }
    }
  });
}

test('many at a time do not mix, whatever was announced', async (t) => {
  const digests = await openDigests(t);
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const content = randomBytes(index * 150_000);
      const running = digests.begin('sha256', [undefined, 0, 5 * mebibyte][index % 3]);
      await feed(running, content);
      assert.equal(await running.end(), digestOf('sha256', content));
    }),
  );
});

for (const announced of [undefined, 10, 10 * mebibyte]) {
  test(`a copy goes on alone (${announced} bytes announced)`, async (t) => {
    const digests = await openDigests(t);
    const [start, one, other] = [randomBytes(700_000), randomBytes(300_000), randomBytes(500_000)];
    const running = digests.begin('sha256', announced);
    await feed(running, start);
    const copy = running.copy();
    await feed(running, one);
    await feed(copy, other);
    assert.equal(await copy.end(), digestOf('sha256', Buffer.concat([start, other])));
    assert.equal(await running.end(), digestOf('sha256', Buffer.concat([start, one])));
  });
}

test('a sender that is faster than the thread is asked to wait', async (t) => {
  const running = (await openDigests(t)).begin('sha256', 100 * mebibyte);
  const chunk = randomBytes(mebibyte);
  const pause = running.update(chunk);
  assert.ok(pause !== undefined);
  await pause;
  assert.equal(running.update(chunk.subarray(0, 1000)), undefined);
  assert.equal(await running.end(), digestOf('sha256', Buffer.concat([chunk, chunk.subarray(0, 1000)])));
});

test('nobody waits for the thread to start', async () => {
  const digests = new Digests();
  const [content, other] = [randomBytes(2 * mebibyte), randomBytes(2 * mebibyte)];
  const [first, unknown] = [digests.begin('sha256', content.length), digests.begin('sha256', undefined)];
  await feed(unknown, other);
  assert.equal(first.update(content), undefined);
  assert.equal(await first.end(), digestOf('sha256', content));
  assert.equal(await unknown.end(), digestOf('sha256', other));
  await digests.close();
});

test('what a thread that ended knew is lost and said to be; the next digest has another thread', async (t) => {
  const digests = await openDigests(t);
  const isUnavailable = (error: unknown): boolean => error instanceof RegistryError && error.error === 'UNAVAILABLE';
  const running = digests.begin('sha256', 10 * mebibyte);
  await running.update(randomBytes(300_000));
  assert.ok(running.isUsable);
  const waiting = Promise.allSettled([running.update(randomBytes(5 * mebibyte)), running.end()]);
  await digests.close();
  for (const outcome of await waiting) assert.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason));
  assert.ok(!running.isUsable);
  await assert.rejects(async () => {
    for (;;) await running.update(randomBytes(300_000));
  }, isUnavailable);
  await untilThreaded(digests);
  const next = digests.begin('sha256', 2 * mebibyte);
  await feed(next, randomBytes(1000));
  assert.match(await next.end(), /^[0-9a-f]{64}$/);
});
