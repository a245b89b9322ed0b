import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, LogRecord } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { type TestAgent, type TestRuns, line, openTestRuns } from '../test-runs.ts';
import { renderLog } from './render-log.ts';

const ended = { outcome: 'Succeeded' as const, message: null, images: [], dependencies: [], temporaryTags: [] };

interface Held {
  readonly runs: TestRuns;
  readonly agent: TestAgent;
  readonly assignment: Assignment;
}

async function hold(...opening: Parameters<typeof openTestRuns>): Promise<Held> {
  const runs = await openTestRuns(...opening);
  const agent = await runs.addAgent();
  await runs.queue();
  const assignment = await runs.claim(agent);
  assert.ok(assignment !== undefined);
  return { runs, agent, assignment };
}

async function textOf({ runs, registry }: TestRuns, start: number, end: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of runs.readLogText(registry.id, 'ca1', { start, end })) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function say({ runs, agent, assignment }: Held, records: readonly LogRecord[], from: number): Promise<void> {
  const answer = await runs.report(agent, assignment, { logFrom: from, log: [...records] });
  assert.equal(answer.status, 200, answer.message);
}

async function end({ runs, agent, assignment }: Held): Promise<void> {
  await runs.report(agent, assignment, { end: ended });
  await runs.runs.stop();
}

async function sealedChunks({ database }: TestRuns): Promise<readonly boolean[]> {
  const rows = await database.read.selectFrom('run_log_chunks').select('sealed').execute();
  return rows.map(({ sealed }) => sealed !== null);
}

test('lines of the agent begin with their time, others are as they came, and all end in CRLF', () => {
  const time = Date.UTC(2026, 10, 9, 8, 7, 6, 543);
  const records: LogRecord[] = [
    { time, step: '', stream: 'agent', text: 'Downloading source code...' },
    { time, step: 'a', stream: 'stdout', text: 'Step 1/2 : FROM größer' },
    { time, step: 'a', stream: 'stderr', text: '' },
  ];
  assert.equal(renderLog(records).toString(), '2026/11/09 08:07:06 Downloading source code...\r\nStep 1/2 : FROM größer\r\n\r\n');
});

forEachEngine((engine) => {
  test('ranges of a log are those of the whole, at every split, while the run goes on and afterwards', async (t) => {
    const held = await hold(engine, t);
    const { runs } = held;
    const arbitraryRecord = fc.record({
      text: fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀', ' '), maxLength: 12 }),
      stream: fc.constantFrom('agent' as const, 'stdout' as const, 'stderr' as const),
      time: fc.integer({ min: 0, max: 4e12 }),
    });
    const batches = fc.sample(fc.array(arbitraryRecord, { minLength: 1, maxLength: 6 }), { numRuns: 5, seed: 42 });
    const all: LogRecord[] = [];
    for (const batch of batches) {
      const records = batch.map((each) => ({ step: 'a', ...each }));
      await say(held, records, all.length);
      all.push(...records);
    }
    const whole = renderLog(all);
    const check = async (): Promise<void> => {
      const text = await runs.runs.logText(runs.registry.id, 'ca1');
      assert.equal(text?.sizeBytes, whole.length);
      for (let split = 0; split <= whole.length; split += 1) {
        assert.ok((await textOf(runs, 0, split)).equals(whole.subarray(0, split)), `to ${split}`);
        assert.ok((await textOf(runs, split, whole.length + 5)).equals(whole.subarray(split)), `from ${split}`);
      }
    };
    await check();
    assert.equal((await runs.runs.logText(runs.registry.id, 'ca1'))?.isComplete, false);
    assert.ok((await sealedChunks(runs)).every(Boolean));
    await end(held);
    assert.deepEqual(await sealedChunks(runs), [false], 'one chunk, in the store');
    await check();
    assert.equal((await runs.runs.logText(runs.registry.id, 'ca1'))?.isComplete, true);
  });

  test('a log is read in pages, by step and by what it says, also over many chunks', async (t) => {
    const held = await hold(engine, t);
    const { runs } = held;
    const count = 700;
    for (let from = 0; from < count; from += 50) {
      const records = Array.from({ length: 50 }, (_, index) =>
        line(`Line ${from + index} ${'x'.repeat(1500)}`, { step: index % 2 === 0 ? 'even' : 'odd' }),
      );
      await say(held, records, from);
    }
    const page = async (query: Record<string, string>): Promise<{ numbers: number[]; next: number | null }> => {
      const answer = await runs.ask('read-run-log', { params: { run: 'ca1' }, query });
      assert.equal(answer.status, 200, answer.message);
      const { records, next } = answer.json as { records: { number: number }[]; next: number | null };
      return { numbers: records.map(({ number }) => number), next };
    };
    const check = async (last: number | null): Promise<void> => {
      const seen: number[] = [];
      for (let from: number | null = 0; from !== null && from < count; ) {
        const { numbers, next } = await page({ from: `${from}`, limit: '93' });
        seen.push(...numbers);
        from = next;
      }
      assert.deepEqual(
        seen,
        Array.from({ length: count }, (_, index) => index),
      );
      assert.deepEqual(await page({ search: 'LINE 7', step: 'odd' }), {
        numbers: [7, 71, 73, 75, 77, 79],
        next: last,
      });
      assert.deepEqual(await page({ from: '699' }), { numbers: [699], next: last });
      assert.deepEqual(await page({ from: '5000' }), { numbers: [], next: last === null ? null : 5000 });
    };
    await check(700);
    await end(held);
    const chunks = await sealedChunks(runs);
    assert.ok(chunks.length > 1 && chunks.length < 14, `${chunks.length} chunks`);
    await check(null);
    for (const query of [{ from: '-1' }, { limit: '0' }, { limit: '1001' }, { search: 'x'.repeat(300) }])
      assert.equal((await runs.ask('read-run-log', { params: { run: 'ca1' }, query })).error, 'INVALID_PARAMETER');
  });

  test('a log has an end, says so, and its run goes on', async (t) => {
    for (const limits of [{ maxLogRecords: 5 }, { maxLogBytes: 40 }]) {
      const held = await hold(engine, t, limits);
      const { runs, agent, assignment } = held;
      const records = Array.from({ length: 9 }, (_, index) => line(`line ${index}`));
      const first = await runs.report(agent, assignment, { logFrom: 0, log: records });
      assert.equal((first.json as { logRecords: number }).logRecords, 9, 'the agent need not say it again');
      const second = await runs.report(agent, assignment, { logFrom: 9, log: records });
      assert.equal((second.json as { logRecords: number }).logRecords, 18);
      const third = await runs.report(agent, assignment, { logFrom: 18, log: records, end: ended });
      assert.equal(third.status, 200);
      const answer = await runs.ask('read-run-log', { params: { run: 'ca1' } });
      const texts = (answer.json as { records: LogRecord[] }).records.map(({ text }) => text);
      assert.deepEqual(
        texts.slice(0, 5),
        records.slice(0, 5).map(({ text }) => text),
      );
      assert.equal(texts.length, 6);
      assert.match(texts[5] ?? '', /^the log ends here/);
      assert.equal((await runs.shown('ca1')).status, 'Succeeded');
    }
  });

  test('a log that was not moved when its process ended is moved later', async (t) => {
    const held = await hold(engine, t);
    const { runs, agent, assignment } = held;
    await say(held, [line('a'), line('b')], 0);
    const create = runs.files.create.bind(runs.files);
    runs.files.create = () => Promise.reject(new Error('the store is away'));
    await runs.report(agent, assignment, { end: ended });
    await runs.runs.stop();
    assert.deepEqual(await sealedChunks(runs), [true]);
    assert.match(runs.logged.join(''), /could not be tidied up at once/);
    runs.files.create = create;
    await runs.round('tidy');
    assert.deepEqual(await sealedChunks(runs), [false]);
    assert.equal((await textOf(runs, 0, 100)).toString(), 'a\r\nb\r\n');
    // What the first attempt had recorded goes with its time.
    runs.clock.time += 3_600_001;
    await runs.round('tidy');
    assert.equal((await runs.database.read.selectFrom('run_objects').select('id').execute()).length, 1);
  });

  test('a log is followed from where a connection broke, and what is told is durable', async (t) => {
    const held = await hold(engine, t);
    const { runs } = held;
    await say(held, [line('a'), line('b'), line('c')], 0);
    await end(held);
    const live = await runs.ask('read-run-log', {
      params: { run: 'ca1' },
      headers: { accept: 'text/event-stream', 'last-event-id': '1' },
    });
    const events = live.bytes.toString();
    assert.deepEqual(
      [...events.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id),
      ['2'],
    );
    assert.match(events, /event: end\n/);
  });
});
