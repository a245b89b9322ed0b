import assert from 'node:assert/strict';
import type { TestAnswer, TestBlobs } from './test-blobs.ts';

/** Status, and the row of the error catalogue. */
export function expectAnswer(answer: TestAnswer, status: number, error?: string): void {
  assert.deepEqual({ status: answer.status, error: answer.error }, { status, error }, answer.message);
}

/** What a pull gets is what was pushed. */
export async function assertStored(test: TestBlobs, name: string, digest: string, content: string | Uint8Array): Promise<void> {
  const answer = await test.pull(name, digest);
  expectAnswer(answer, 200);
  assert.ok(answer.bytes.equals(Buffer.from(content)), 'the bytes came back changed');
}

/** What the upload says of itself. */
export async function rangeOf(test: TestBlobs, session: string): Promise<unknown> {
  const answer = await test.ask('get-upload', { session });
  expectAnswer(answer, 204);
  assert.equal(answer.headers['Location'], session);
  return answer.headers['Range'];
}
