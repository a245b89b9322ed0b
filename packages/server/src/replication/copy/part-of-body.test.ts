import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { Pace } from '../../platform/pace/index.ts';
import { PartOfBody } from './part-of-body.ts';

/** Says of one chunk after the other whether it has to wait. */
function paceOf(waits: readonly (Promise<void> | undefined)[]): Pace {
  let index = 0;
  const spend = (): Promise<void> | undefined => waits[index++];
  return { spend } as unknown as Pace;
}

const atOnce = paceOf([]);

function partOf(source: Readable, sizeBytes: number, pace: Pace): PartOfBody {
  const { signal } = new AbortController();
  return new PartOfBody({ source, sizeBytes, paces: () => [pace], onBytes: () => undefined, signal });
}

/** As uploads read: every chunk is followed by a pause. */
async function readSlowly(part: PartOfBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  part.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    part.pause();
    setImmediate(() => part.resume());
  });
  await once(part, 'end');
  return Buffer.concat(chunks);
}

test('chunks that wait are not overtaken by those that need not', async () => {
  const chunks = Array.from({ length: 60 }, () => randomBytes(40_000));
  const source = new Readable({ read: () => undefined });
  const waits = chunks.map((_, index) => (index % 3 === 1 ? Promise.withResolvers<void>() : undefined));
  const read = readSlowly(partOf(source, 60 * 40_000, paceOf(waits.map((wait) => wait?.promise))));
  for (const chunk of chunks) source.push(chunk);
  for (const wait of waits) {
    // Long enough for whatever would come meanwhile.
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    wait?.resolve();
  }
  assert.ok((await read).equals(Buffer.concat(chunks)));
});

test('what a part does not take stays for the next, in order', async () => {
  const content = randomBytes(10_000);
  const source = Readable.from([content.subarray(0, 4_000), content.subarray(4_000)], { objectMode: false });
  const parts: Buffer[] = [];
  for (const sizeBytes of [1_000, 3_500, 0, 5_500]) parts.push(await readSlowly(partOf(source, sizeBytes, atOnce)));
  assert.deepEqual(parts, [content.subarray(0, 1_000), content.subarray(1_000, 4_500), Buffer.alloc(0), content.subarray(4_500)]);
});

test('a source that ends early fails its part', async () => {
  const source = Readable.from([randomBytes(1_000)], { objectMode: false });
  await assert.rejects(readSlowly(partOf(source, 2_000, atOnce)), /ended early/);
});
