import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Assignment } from '@berth/api';
import { withEveryEngine } from './test-engines.ts';
import { type Session, execute, leftovers } from './test-session.ts';

/** What it prints is not in its text, so it says whether it ran. */
const costly = 'RUN ["/bin/busybox", "sh", "-c", "echo it-$(/bin/busybox echo ran) >/made; /bin/busybox cat /made"]';

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

  /** Whether the costly step of a build ran. */
  async function ran(steps: string, assignment: Partial<Assignment>, work: object = {}): Promise<boolean> {
    const { end, log } = await execute(
      get(),
      { kind: 'build', images: [], ...work },
      { files: { Dockerfile: steps }, assignment },
    );
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    return log.some((line) => line.includes('it-ran'));
  }

  test('builds of one task find their layers again, those of other tasks and of untrusted runs do not', async () => {
    const { registry } = get();
    const base = (file: string, content: string): ReturnType<typeof execute> =>
      execute(
        get(),
        { kind: 'build', images: ['layers/base:1'] },
        { files: { Dockerfile: `FROM scratch\nCOPY busybox /bin/busybox\nCOPY ${file} /\n`, [file]: content } },
      );
    const first = await base('version', '1');
    const app = `FROM ${registry.host}/layers/base:1\n${costly}\n`;
    assert.equal(await ran(app, { cacheKey: 'mine' }), true);
    assert.equal(await ran(app, { cacheKey: 'mine' }), false);
    assert.equal(await ran(app, { cacheKey: 'theirs' }), true);
    assert.equal(await ran(app, { cacheKey: 'mine', isTrusted: false }), true);
    assert.equal(await ran(app, { cacheKey: '' }), true);
    const pinned = `FROM ${registry.host}/layers/base:1@${first.end.images[0]?.digest}\n${costly}\n`;
    assert.equal(await ran(pinned, { cacheKey: 'mine' }), false, 'the base is the same, however it is named');
    const second = await base('version', '2');
    assert.equal(second.end.outcome, 'Succeeded', second.log.join('\n'));
    assert.equal(await ran(app, { cacheKey: 'mine' }), true, 'another base');
    assert.equal(await ran(app, { cacheKey: 'mine' }), false);
  });

  test('a build without cache is what the next one finds', async () => {
    const twice = `FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sh", "-c", "/bin/busybox cat /proc/uptime >/built"]\n`;
    const build = async (noCache: boolean): Promise<string> => {
      const work: Assignment['work'] = { kind: 'build', images: ['fresh:1'], arguments: [], noCache };
      const { end, log } = await execute(get(), work, { files: { Dockerfile: twice }, assignment: { cacheKey: 'fresh' } });
      assert.equal(end.outcome, 'Succeeded', log.join('\n'));
      return end.images[0]?.digest ?? '';
    };
    const before = await build(false);
    const anew = await build(true);
    assert.notEqual(anew, before);
    assert.equal(await build(false), anew);
  });

  test('a step that depends on what its text does not say is never taken from an earlier build', async () => {
    const build = async (revision: string | undefined, files: Readonly<Record<string, string>>): Promise<string> => {
      const given = revision === undefined ? [] : [{ name: 'REVISION', value: revision }];
      const { end, log } = await execute(
        get(),
        { kind: 'build', images: ['hidden:1'], arguments: given },
        { files, assignment: { cacheKey: 'hidden' } },
      );
      assert.equal(end.outcome, 'Succeeded', log.join('\n'));
      return end.images[0]?.digest ?? '';
    };
    const label = { Dockerfile: 'FROM scratch\nCOPY busybox /\nARG REVISION\nLABEL revision=$REVISION\n' };
    const one = await build('one', label);
    assert.notEqual(await build('two', label), one);
    const copy = '["/bin/busybox", "cp", "/from/note", "/note"]';
    const mount = `FROM scratch\nCOPY busybox /bin/busybox\nRUN --mount=type=bind,source=notes,target=/from ${copy}\n`;
    const before = await build(undefined, { Dockerfile: mount, 'notes/note': 'before' });
    assert.notEqual(await build(undefined, { Dockerfile: mount, 'notes/note': 'after' }), before);
  });

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
