import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Assignment } from '@berth/api';
import { withEveryEngine } from './test-engines.ts';
import { type Session, execute, leftovers } from './test-session.ts';

/** Says who was in the cache before, and stays there. `WHO` is part of what the step is, so that it runs each time. */
const visit = `FROM scratch
COPY busybox /bin/busybox
ARG WHO
RUN --mount=type=cache,target=/cache ["/bin/busybox", "sh", "-c", "echo before: $(/bin/busybox cat /cache/who) now: $WHO; echo $WHO >/cache/who"]
`;

function defineTests(get: () => Session): void {
  afterEach(async () => assert.deepEqual(await leftovers(get()), [], 'nothing is left on the engine'));

  async function build(who: string, assignment: Partial<Assignment>, work: object = {}): Promise<readonly string[]> {
    const { end, log } = await execute(
      get(),
      { kind: 'build', images: [], arguments: [{ name: 'WHO', value: who }], ...work },
      { files: { Dockerfile: visit }, assignment },
    );
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    return log;
  }

  async function before(who: string, assignment: Partial<Assignment>): Promise<string> {
    const log = await build(who, assignment);
    const found = log.map((line) => /before: ([^$]*?) *now: [a-z]/.exec(line)?.[1]).find((each) => each !== undefined);
    assert.ok(found !== undefined, log.join('\n'));
    return found;
  }

  test('builds of one task find what they left in a cache mount; other tasks, and untrusted runs, neither see nor change it', async () => {
    assert.equal(await before('first', { cacheKey: 'mine' }), '');
    assert.equal(await before('other', { cacheKey: 'theirs' }), '');
    assert.equal(await before('stranger', { cacheKey: 'mine', isTrusted: false }), '');
    assert.equal(await before('nobody', { cacheKey: '' }), '');
    assert.equal(await before('second', { cacheKey: 'mine' }), 'first');
    assert.equal(await before('third', { cacheKey: 'theirs' }), 'other');
  });
}

withEveryEngine(defineTests);
