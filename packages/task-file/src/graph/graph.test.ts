import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type GraphStep, buildGraph } from './build-graph.ts';
import { type Condition, Scheduler, type StepOutcome } from './scheduler.ts';

function step(id: string, when?: readonly string[]): GraphStep {
  return { id, when, place: undefined };
}

function edges(...steps: readonly GraphStep[]): Record<string, readonly string[]> {
  const { dependencies, problems } = buildGraph(steps);
  assert.deepEqual(problems, []);
  return Object.fromEntries(dependencies);
}

test('a step waits for the one before it, for those it names, or for none', () => {
  assert.deepEqual(edges(step('a'), step('b'), step('c', ['-']), step('d'), step('e', ['a', 'c']), step('f', [])), {
    a: [],
    b: ['a'],
    c: [],
    d: ['c'],
    e: ['a', 'c'],
    f: ['e'],
  });
  // Later steps may be named.
  assert.deepEqual(edges(step('a', ['b']), step('b', ['-'])), { a: ['b'], b: [] });
});

const wrong: readonly (readonly [steps: readonly GraphStep[], message: RegExp])[] = [
  [[step('a', ['-', 'b']), step('b')], /when of the step a has "-"/],
  [[step('a', ['a'])], /a waits for itself/],
  [[step('a', ['x'])], /a waits for x, which is no step/],
  [[step('a', ['-']), step('b', ['a', 'a'])], /b names a twice/],
  [[step('a', ['c']), step('b', ['a']), step('c', ['b'])], /wait for one another: a → c → b → a/],
  // The first of the file waits for the second, which waits for the first by its place.
  [[step('a', ['b']), step('b')], /a → b → a/],
];
for (const [steps, message] of wrong)
  test(`refuses a graph: ${message.source}`, () =>
    assert.match(
      buildGraph(steps)
        .problems.map((each) => each.message)
        .join(),
      message,
    ));

interface Plan {
  readonly steps: readonly GraphStep[];
  readonly conditions: readonly Condition[];
  readonly outcomes: readonly StepOutcome[];
  readonly order: readonly number[];
}

const plans: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.record({
    // Edges lead to steps with smaller numbers, and the steps stand in any order in the file.
    steps: fc
      .tuple(...Array.from({ length: count }, (_, index) => fc.subarray(Array.from({ length: index }, (__, at) => `s${at}`))))
      .chain((whens) =>
        fc.shuffledSubarray(
          whens.map((when, index) => step(`s${index}`, when.length === 0 ? ['-'] : when)),
          { minLength: count },
        ),
      ),
    conditions: fc.array(fc.constantFrom<Condition>('success', 'failure', 'always'), { minLength: count, maxLength: count }),
    outcomes: fc.array(fc.constantFrom<StepOutcome>('succeeded', 'succeeded', 'failed'), { minLength: count, maxLength: count }),
    order: fc.array(fc.nat(100), { minLength: 40, maxLength: 40 }),
  }),
);

test('in any graph the order holds, every step runs once or is skipped, and nothing hangs', () => {
  fc.assert(
    fc.property(plans, ({ steps, conditions, outcomes, order }) => {
      const { dependencies, problems } = buildGraph(steps);
      assert.deepEqual(problems, []);
      const scheduled = steps.map(({ id }, index) => ({ id, condition: conditions[index] ?? 'success' }));
      const scheduler = new Scheduler(scheduled, dependencies);
      const ended = new Map<string, StepOutcome | 'skipped'>();
      const running: string[] = [];
      let hasFailed = false;
      let move = scheduler.start();
      for (let turn = 0; ; turn += 1) {
        for (const { id } of move.skipped) {
          assert.ok(!ended.has(id) && !running.includes(id), `${id} is skipped once`);
          ended.set(id, 'skipped');
        }
        for (const id of move.start) {
          assert.ok(!ended.has(id) && !running.includes(id), `${id} runs once`);
          const needed = dependencies.get(id) ?? [];
          for (const each of needed) assert.ok(ended.has(each), `${id} waits for ${each}`);
          const condition = scheduled.find((each) => each.id === id)?.condition;
          if (condition === 'success') assert.ok(!hasFailed && needed.every((each) => ended.get(each) === 'succeeded'), id);
          if (condition === 'failure')
            assert.ok(
              needed.some((each) => ended.get(each) !== 'succeeded'),
              id,
            );
          running.push(id);
        }
        for (const id of move.cancel) assert.ok(running.includes(id));
        if (running.length === 0) break;
        const [id = ''] = running.splice((order[turn] ?? 0) % running.length, 1);
        const outcome = outcomes[Number(id.slice(1))] ?? 'succeeded';
        hasFailed ||= outcome !== 'succeeded';
        ended.set(id, outcome);
        move = scheduler.finished(id, outcome);
      }
      assert.ok(move.isOver);
      assert.equal(ended.size, steps.length);
      assert.equal(scheduler.hasFailed, hasFailed);
      for (const { id, condition } of scheduled) if (condition === 'always') assert.notEqual(ended.get(id), 'skipped', id);
    }),
  );
});

test('a failure cancels what runs beside it, and lets the steps for failures run', () => {
  const steps = [step('a', ['-']), step('b', ['-']), step('c', ['a']), step('clean', ['a', 'b']), step('tell', ['a'])];
  const { dependencies } = buildGraph(steps);
  const conditions: Readonly<Record<string, Condition>> = { clean: 'always', tell: 'failure' };
  const scheduler = new Scheduler(
    steps.map(({ id }) => ({ id, condition: conditions[id] ?? 'success' })),
    dependencies,
  );
  assert.deepEqual(scheduler.start().start, ['a', 'b']);
  assert.deepEqual(scheduler.finished('a', 'failed'), {
    start: ['tell'],
    skipped: [{ id: 'c', reason: 'the step a did not succeed' }],
    cancel: ['b'],
    isOver: false,
  });
  assert.deepEqual(scheduler.finished('b', 'canceled').start, ['clean']);
  assert.equal(scheduler.finished('tell', 'succeeded').isOver, false);
  assert.equal(scheduler.finished('clean', 'succeeded').isOver, true);
});

test('a stop cancels everything, and nothing starts any more', () => {
  const steps = [step('a'), step('b'), step('last')];
  const scheduler = new Scheduler(
    steps.map(({ id }) => ({ id, condition: id === 'last' ? 'always' : 'success' })),
    buildGraph(steps).dependencies,
  );
  scheduler.start();
  const move = scheduler.stop();
  assert.deepEqual(move.cancel, ['a']);
  assert.deepEqual(
    move.skipped.map(({ id }) => id),
    ['b', 'last'],
  );
  assert.equal(scheduler.finished('a', 'canceled').isOver, true);
});
