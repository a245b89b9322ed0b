import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, RunReport, RunStep } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { type TestAgent, type TestRuns, line, openTestRuns } from './test-runs.ts';

const ended = { outcome: 'Succeeded' as const, message: null, images: [], dependencies: [], temporaryTags: [] };

interface Held {
  readonly runs: TestRuns;
  readonly agent: TestAgent;
  readonly assignment: Assignment;
  report(report: RunReport): Promise<{ isCanceled: boolean; logRecords: number }>;
  texts(): Promise<string[]>;
}

type Opening = Parameters<typeof openTestRuns>;

async function hold(...opening: Opening): Promise<Held> {
  const runs = await openTestRuns(...opening);
  const agent = await runs.addAgent();
  await runs.queue();
  const assignment = await runs.claim(agent);
  assert.ok(assignment !== undefined);
  return {
    runs,
    agent,
    assignment,
    report: async (report) => {
      const answer = await runs.report(agent, assignment, report);
      assert.equal(answer.status, 200, answer.message);
      return answer.json;
    },
    texts: async () => {
      const answer = await runs.ask('read-run-log', { params: { run: assignment.run.id } });
      return (answer.json as { records: { text: string }[] }).records.map(({ text }) => text);
    },
  };
}

const step: RunStep = {
  id: 'a',
  kind: 'cmd',
  state: 'running',
  startedAt: null,
  finishedAt: null,
  exitCode: null,
  attempts: 1,
};

forEachEngine((engine) => {
  test('however often reports are said again, and at once, the log has each record once and in order', async (t) => {
    const { report, texts } = await hold(engine, t);
    const all = Array.from({ length: 60 }, (_, index) => line(`line ${index}`));
    let known = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), async (back, count, times) => {
        const from = Math.max(0, known - back);
        const log = all.slice(from, from + count);
        const answers = await Promise.all(Array.from({ length: times }, () => report({ logFrom: from, log })));
        known = Math.max(known, from + log.length);
        for (const { logRecords } of answers) assert.equal(logRecords, known);
      }),
      { numRuns: 30 },
    );
    assert.deepEqual(
      await texts(),
      all.slice(0, known).map(({ text }) => text),
    );
  });

  test('an agent that leaves records out is told from where to go on, and its end is not taken before', async (t) => {
    const { runs, report, texts } = await hold(engine, t);
    await report({ logFrom: 0, log: [line('a')] });
    assert.equal((await report({ logFrom: 3, log: [line('d')], end: ended })).logRecords, 1);
    assert.equal((await runs.shown('ca1')).status, 'Running');
    assert.equal((await report({ logFrom: 1, log: [line('b'), line('c'), line('d')], end: ended })).logRecords, 4);
    assert.deepEqual(await texts(), ['a', 'b', 'c', 'd']);
    assert.equal((await runs.shown('ca1')).status, 'Succeeded');
  });

  test('the end of a run brings its images, is kept once, and may be said again', async (t) => {
    const { runs, report, assignment } = await hold(engine, t);
    const digest = `sha256:${'a'.repeat(64)}`;
    const own = { registry: assignment.run.registry, repository: 'team/app', tag: 'v1', digest };
    const elsewhere = { ...own, registry: 'other.example', repository: 'x' };
    const base = { role: 'runtime' as const, registry: 'docker.io', repository: 'library/a', tag: '1', digest };
    const dependencies = [{ step: 'build', image: own, bases: [base], gitCommit: null }];
    const end = {
      outcome: 'Failed' as const,
      message: 'the step build failed',
      images: [own, elsewhere, own],
      dependencies,
      temporaryTags: ['team/app:_berth-ca1-0', 'team/app:latest', 'team/app:_berth-ca2-0', '_berth-ca1-1', 'x/y:_berth-ca1-z'],
    };
    const steps: RunStep[] = [
      {
        id: 'build',
        kind: 'build',
        state: 'failed',
        startedAt: null,
        finishedAt: null,
        exitCode: 3,
        attempts: 1,
        reason: 'exit code 3',
      },
    ];
    for (let index = 0; index < 2; index += 1) await report({ logFrom: 0, log: [line('x')], steps, end });
    const run = await runs.shown('ca1');
    assert.deepEqual(
      [run.status, run.error, run.steps, run.images, run.dependencies, run.logRecords],
      ['Failed', 'the step build failed', steps, [own, elsewhere, own], dependencies, 1],
    );
    assert.deepEqual(runs.untagged, ['team/app:_berth-ca1-0', 'x/y:_berth-ca1-z']);
    assert.deepEqual(
      runs.ended.map(({ id, status }) => [id, status]),
      [['ca1', 'Failed']],
    );
    for (const [image, count] of Object.entries({ 'team/app': 1, 'team/app:v1': 1, 'team/app:v2': 0, x: 0, [digest]: 1 }))
      assert.equal((await runs.runs.list({ registryId: runs.registry.id, image, limit: 10 })).length, count, image);
  });

  test('a report needs the lease, of this run, with the key that claimed it', async (t) => {
    const { runs, agent, assignment } = await hold(engine, t);
    const body = { log: [line('x')] };
    const other = await runs.addAgent();
    for (const [headers, run, principal] of [
      [{}, 'ca1', agent.principal],
      [{ 'berth-lease': 'a'.repeat(43) }, 'ca1', agent.principal],
      [{ 'berth-lease': assignment.lease }, 'ca2', agent.principal],
      [{ 'berth-lease': assignment.lease }, 'ca1', other.principal],
    ] as const) {
      for (const operation of ['report-run', 'read-agent-source', 'resolve-run-secrets']) {
        const said = operation === 'resolve-run-secrets' ? { secrets: [] } : body;
        const answer = await runs.ask(operation, { params: { run }, headers, body: said, principal });
        assert.equal(answer.error, 'LEASE_LOST', operation);
      }
    }
    assert.equal((await runs.shown('ca1')).logRecords, 0);
  });

  test('a lease that ran out is good as long as nobody ended the run', async (t) => {
    const { runs, agent, assignment, report } = await hold(engine, t);
    await report({ log: [line('a')] });
    runs.clock.time += 60_000;
    assert.equal((await report({ logFrom: 1, log: [line('b')] })).logRecords, 2);
    await runs.round('sweep');
    assert.equal((await runs.shown('ca1')).status, 'Running');
    runs.clock.time += 30_001;
    await runs.round('sweep');
    const run = await runs.shown('ca1');
    assert.equal(run.status, 'Error');
    assert.match(run.error ?? '', /^the agent one was lost: it has not reported for 30 seconds/);
    assert.equal((await runs.report(agent, assignment, { end: ended })).error, 'LEASE_LOST');
    assert.equal(runs.credentials.size, 0);
  });

  test('a run is canceled at once while it waits, and by its agent while it goes on', async (t) => {
    const { runs, report } = await hold(engine, t);
    await runs.queue();
    assert.equal((await runs.ask('cancel-run', { params: { run: 'ca2' }, body: {} })).status, 202);
    assert.equal((await runs.shown('ca2')).status, 'Canceled');
    assert.equal((await report({ log: [line('a')] })).isCanceled, false);
    for (let index = 0; index < 2; index += 1) await runs.ask('cancel-run', { params: { run: 'ca1' }, body: {} });
    assert.equal((await report({ log: [] })).isCanceled, true);
    assert.equal((await runs.shown('ca1')).status, 'Running');
    await report({ end: { ...ended, outcome: 'Canceled' } });
    assert.equal((await runs.shown('ca1')).status, 'Canceled');
    assert.equal((await runs.ask('cancel-run', { params: { run: 'ca9' }, body: {} })).error, 'NOT_FOUND');
    assert.deepEqual(
      runs.ended.map(({ id, status }) => [id, status]),
      [
        ['ca2', 'Canceled'],
        ['ca1', 'Canceled'],
      ],
    );
  });

  test('an agent does not cancel what nobody canceled', async (t) => {
    const { runs, report } = await hold(engine, t);
    await report({ end: { ...ended, outcome: 'Canceled' } });
    const run = await runs.shown('ca1');
    assert.deepEqual([run.status, run.error], ['Error', 'the agent one stopped while it executed the run: queue it again']);
  });

  test('what an agent says is bounded and cleaned', async (t) => {
    const { runs, report, texts } = await hold(engine, t);
    await report({
      log: [
        line('two\r\nlines\0\ud800'),
        line('x'.repeat(100_000)),
        line('late', { time: 1e18 }),
        line('', { step: 'n'.repeat(999) }),
      ],
      steps: Array.from({ length: 205 }, (_, index) => ({ ...step, id: `${index}\0`, reason: 'r'.repeat(4_200) })),
      commit: 'c'.repeat(9_999),
      branch: 'main',
      end: { ...ended, message: 'm'.repeat(9_999) },
    });
    const [first, second] = await texts();
    assert.equal(first, 'two lines \ufffd');
    assert.equal(second?.length, 65_536);
    const run = await runs.shown('ca1');
    assert.deepEqual(
      [run.steps.length, run.steps[0]?.id, run.steps[0]?.reason?.length, run.error?.length],
      [200, '0', 4_096, 4_096],
    );
  });

  test('what runs or waits when a run is ended from here does not go on', async (t) => {
    const { runs, report, texts } = await hold(engine, t);
    await report({ logFrom: 0, log: [line('a')], steps: [{ ...step, state: 'succeeded' }, step, { ...step, state: 'waiting' }] });
    runs.clock.time += 40_000;
    await runs.round('sweep');
    const run = await runs.shown('ca1');
    assert.deepEqual(
      run.steps.map(({ state }) => state),
      ['succeeded', 'canceled', 'skipped'],
    );
    assert.deepEqual(await texts(), ['a', run.error], 'its log says why');
  });
});
