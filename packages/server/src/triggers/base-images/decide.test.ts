import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BaseImageQuestion, type MovedImage, type Verdict, decide } from './decide.ts';

const now = Date.UTC(2030, 0, 1);
const minute = 60_000;

const moved: MovedImage = { name: 'r/base:latest', recorded: 'a', current: 'b', handled: null, chain: [], recentRuns: [] };
const asked: Omit<BaseImageQuestion, 'images'> = {
  task: 'local/app',
  isTaskEnabled: true,
  isTriggerEnabled: true,
  waitingRun: undefined,
  runsPerHour: 3,
  now,
};

const cases: readonly (readonly [
  what: string,
  image: Partial<MovedImage>,
  question: Partial<BaseImageQuestion>,
  kind: Verdict['kind'],
  reason: RegExp,
  isHandled?: boolean,
])[] = [
  ['another digest', {}, {}, 'fire', /another digest/],
  ['the digest that was used', { current: 'a' }, {}, 'none', /last successful run used/, false],
  ['a digest whose run failed', { handled: 'b' }, {}, 'none', /queued for this digest already/, false],
  ['a new digest after a run failed', { handled: 'c' }, {}, 'fire', /another digest/],
  ['an index of what was used', { sameImagesAs: 'recorded' }, {}, 'none', /only what is attested of them is new/, false],
  ['an index of what a run was queued for', { sameImagesAs: 'handled' }, {}, 'none', /queued for these images/, false],
  ['a run that was queued before a process died', { alreadyQueued: 'ca7' }, {}, 'none', /the run ca7 was queued/, true],
  ['a disabled task', {}, { isTaskEnabled: false }, 'none', /task is disabled/, false],
  ['a disabled trigger', {}, { isTriggerEnabled: false }, 'none', /trigger is disabled/, false],
  ['attack 35: a push of its own run', { chain: ['local/other', 'local/app'] }, {}, 'none', /the task itself pushed it/, true],
  [
    'attack 35: a circle',
    { chain: ['local/app', 'local/other'] },
    {},
    'none',
    /go round for ever \(local\/app → local\/other\)/,
    true,
  ],
  ['a task of that name in another registry', { chain: ['other/app'] }, {}, 'fire', /another digest/],
  ['an image in quarantine', { isQuarantined: true }, {}, 'none', /in quarantine/, false],
  ['a run that waits', {}, { waitingRun: 'ca9' }, 'join', /joined to the run ca9/],
  ['attack 35: a circle, with a run that waits', { chain: ['local/app'] }, { waitingRun: 'ca9' }, 'none', /itself/, true],
  ['some runs within the hour', { recentRuns: [now - minute, now - 2 * minute] }, {}, 'fire', /another digest/],
  ['attack 35: a tag that flaps', { recentRuns: [1, 2, 3].map((n) => now - n * minute) }, {}, 'pause', /3 runs for this image/],
];
for (const [what, image, question, kind, reason, isHandled] of cases) {
  test(`${what}: ${kind}`, () => {
    const [verdict, ...others] = decide({ ...asked, ...question, images: [{ ...moved, ...image }] });
    assert.ok(verdict !== undefined && others.length === 0);
    assert.equal(verdict.kind, kind);
    assert.match(verdict.reason, reason);
    assert.equal(verdict.kind === 'none' ? verdict.isHandled : undefined, isHandled);
  });
}

test('a pause ends when there is room for one run, and another image that needs one ends it at once', () => {
  const flapping = { ...moved, recentRuns: [50, 40, 30, 20].map((n) => now - n * minute) };
  const [alone] = decide({ ...asked, images: [flapping] });
  // Of the last three, the oldest must be an hour ago.
  assert.equal(alone?.kind === 'pause' && alone.until, now + 20 * minute);
  const both = decide({ ...asked, images: [flapping, { ...moved, name: 'r/other:latest' }] });
  assert.deepEqual(
    both.map(({ kind }) => kind),
    ['fire', 'fire'],
  );
});

test('whatever moves, nothing fires for what was used, handled, brought about by the task, or too often', () => {
  const digest = fc.constantFrom('a', 'b', 'c');
  const image: fc.Arbitrary<MovedImage> = fc.record({
    name: fc.constantFrom('r/x:1', 'r/y:1'),
    recorded: digest,
    current: digest,
    handled: fc.option(digest),
    alreadyQueued: fc.option(fc.constant('ca1'), { nil: undefined }),
    chain: fc.array(fc.constantFrom('local/app', 'local/b', 'local/c'), { maxLength: 3 }),
    recentRuns: fc.array(fc.integer({ min: now - 60 * minute + 1, max: now }), { maxLength: 6 }),
  });
  const question = fc.record({
    task: fc.constant('local/app'),
    isTaskEnabled: fc.boolean(),
    isTriggerEnabled: fc.boolean(),
    waitingRun: fc.option(fc.constant('ca2'), { nil: undefined }),
    images: fc.array(image, { minLength: 1, maxLength: 5 }),
    runsPerHour: fc.integer({ min: 1, max: 4 }),
    now: fc.constant(now),
  });
  fc.assert(
    fc.property(question, (asks) => {
      const verdicts = decide(asks);
      assert.equal(verdicts.length, asks.images.length);
      const isPaused = ({ recentRuns }: MovedImage): boolean => recentRuns.length >= asks.runsPerHour;
      for (const [at, verdict] of verdicts.entries()) {
        const each = asks.images[at];
        assert.ok(each !== undefined && verdict.reason !== '');
        const isWanted =
          each.current !== each.recorded &&
          each.current !== each.handled &&
          each.alreadyQueued === undefined &&
          !each.chain.includes(asks.task) &&
          asks.isTaskEnabled &&
          asks.isTriggerEnabled;
        if (verdict.kind !== 'none') assert.ok(isWanted);
        else assert.ok(!isWanted);
        if (verdict.kind === 'fire') assert.equal(asks.waitingRun, undefined);
        if (verdict.kind === 'pause') assert.ok(isPaused(each) && verdict.until > now && verdict.until <= now + 60 * minute);
      }
      // A run is queued for the sake of an image that may have one, never of those alone that move too often.
      if (verdicts.some(({ kind }) => kind === 'fire'))
        assert.ok(verdicts.some(({ kind }, at) => kind === 'fire' && !isPaused(asks.images[at] ?? moved)));
    }),
    { numRuns: 2_000 },
  );
});

test('attack 35: whatever tasks are built on whatever, one push makes each of them run once at the most', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 20 }), fc.nat(7), (edges, start) => {
      const name = (n: number): string => `local/t${n}`;
      const ran: string[] = [];
      // Each task pushes an image of its own number; a tuple says which task is built on which image.
      const queue: { image: number; chain: readonly string[] }[] = [{ image: start, chain: [] }];
      for (let push = queue.shift(); push !== undefined; push = queue.shift()) {
        const { image, chain } = push;
        for (const task of new Set(edges.filter(([, on]) => on === image).map(([of]) => of))) {
          const [verdict] = decide({ ...asked, task: name(task), images: [{ ...moved, chain }] });
          if (verdict?.kind !== 'fire') continue;
          assert.ok(!chain.includes(name(task)));
          ran.push(name(task));
          assert.ok(ran.length < 20_000, 'it goes on and on');
          queue.push({ image: task, chain: [...chain, name(task)] });
        }
      }
    }),
    { numRuns: 200 },
  );
});
