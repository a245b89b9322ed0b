import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { LogRecord, Run } from '@berth/api';
import { clockText, durationText } from './durations.ts';
import { readEvents } from './event-stream.ts';
import { plainLine } from './plain-line.ts';
import { summaryLines } from './run-summary.ts';
import { RunView } from './run-view.ts';
import { openScreen } from './screen.ts';

function textIn(stream: PassThrough): string {
  let text = '';
  for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null)
    text += chunk.toString();
  return text;
}

function terminal(columns = 60) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns });
  return { stream, written: () => textIn(stream) };
}

const record = (step: string, text: string): LogRecord => ({ time: 0, step, stream: 'stdout', text });
const queued: Run = {
  id: 'ca1',
  status: 'Queued',
  runType: 'QuickBuild',
  task: null,
  platform: { os: 'Linux' },
  agentPool: null,
  agent: null,
  requestedBy: 'local',
  createdAt: '2030-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  updatedAt: '2030-01-01T00:00:00.000Z',
  timeoutSeconds: 3600,
  error: null,
  queue: { position: 2, reason: 'all agents are busy' },
  trigger: null,
  steps: [],
  images: [],
  dependencies: [],
  logRecords: 0,
  isArchived: false,
};

function at(t: TestContext, time: string): void {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.parse(time) });
}

test('on a terminal the place in the queue and the running step change in place, below the log', (t) => {
  at(t, '2030-01-01T00:00:05.000Z');
  const { stream, written } = terminal();
  const view = new RunView(openScreen(stream), { isLogShown: true, isRaw: false });
  t.after(() => view.close());
  view.run(queued);
  assert.equal(written(), 'Waiting, number 2 in the queue: all agents are busy  0:05');
  const step = { id: 'build', kind: 'build', state: 'running', finishedAt: null, exitCode: null, attempts: 1 } as const;
  const startedAt = '2030-01-01T00:00:04.000Z';
  view.run({ ...queued, status: 'Running', queue: null, startedAt, steps: [{ ...step, startedAt }] });
  assert.equal(written(), '\r\u001B[2K[build] 0:01  0/1 steps, 0:01');
  view.log(record('build', 'first'));
  view.log(record('test', 'second'));
  assert.equal(written(), '\r\u001B[2K\u001B[36m[build]\u001B[0m first\n\u001B[33m[test]\u001B[0m second\n');
  t.mock.timers.tick(1000);
  assert.equal(written(), '[build] 0:01  0/1 steps, 0:01\r\u001B[2K[build] 0:02  0/1 steps, 0:02');
  view.remark('(connecting again)');
  assert.equal(written(), '\r\u001B[2K(connecting again)  [build] 0:02  0/1 steps, 0:02');
  view.close();
  assert.equal(written(), '\r\u001B[2K');
});

test('a status is no wider than the terminal', (t) => {
  at(t, '2030-01-01T00:00:05.000Z');
  const { stream, written } = terminal(24);
  const view = new RunView(openScreen(stream), { isLogShown: true, isRaw: false });
  t.after(() => view.close());
  view.run(queued);
  assert.equal(written(), 'Waiting, number 2 in th');
});

test('elsewhere there are lines only, and the queue is told when something is new of it', () => {
  const stream = new PassThrough();
  const view = new RunView(openScreen(stream), { isLogShown: true, isRaw: false });
  for (const position of [2, 2, 1]) view.run({ ...queued, queue: { position, reason: 'all agents are busy' } });
  view.log(record('build', 'text'));
  view.log(record('', 'of the run'));
  view.close();
  const waiting = (position: number): string => `Waiting, number ${position} in the queue: all agents are busy\n`;
  assert.equal(textIn(stream), `${waiting(2)}${waiting(1)}[build] text\nof the run\n`);
});

test('attack 34: control sequences of a log do not reach the terminal', () => {
  assert.equal(plainLine('a\u001B[2Jb\u0007\u009B31m\rc\td\u202Ee\nf'), 'a[2Jb31mc\tdef');
});

test('the summary says why a run failed, and shows the last lines where no log does', () => {
  const run: Run = {
    ...queued,
    status: 'Failed',
    queue: null,
    finishedAt: '2030-01-01T00:00:02.000Z',
    error: 'step a failed\nlast\n\nwords',
  };
  const sentence = 'Run ca1 failed after 2.0 s: step a failed.';
  assert.deepEqual(summaryLines(run, { isLogShown: true }), ['', sentence]);
  assert.deepEqual(summaryLines(run, { isLogShown: false }), ['', sentence, '  last', '  words']);
});

test('a step whose reason has several lines has one line in the table', () => {
  const step = { id: 'pull', state: 'failed', exitCode: null, startedAt: null, finishedAt: null, attempts: 1 } as const;
  const run: Run = {
    ...queued,
    status: 'Failed',
    queue: null,
    steps: [{ ...step, reason: 'it cannot be pulled\nsaid so' } as Run['steps'][number]],
  };
  const lines = summaryLines(run, { isLogShown: true });
  assert.match(lines.find((line) => line.startsWith('pull')) ?? '', /^pull +failed +it cannot be pulled$/);
});

test('durations read as people say them', () => {
  assert.deepEqual([0, 1234, 59_990, 65_000, 3_720_000].map(durationText), [
    '0.0 s',
    '1.2 s',
    '60.0 s',
    '1 min 05 s',
    '1 h 02 min',
  ]);
  assert.deepEqual([7_900, 65_000, 3_723_000].map(clockText), ['0:07', '1:05', '1:02:03']);
});

test('events are read whole, however they are cut', async () => {
  const text = ': comment\n\nid: 3\nevent: log\ndata: {"a":1}\n\nevent: run\ndata: one\ndata: two\n\nevent: log\ndata: cut off';
  const expected = [
    { event: 'log', data: '{"a":1}', id: '3' },
    { event: 'run', data: 'one\ntwo', id: '3' },
  ];
  for (const size of [1, 2, 7, 1000]) {
    const chunks = async function* (): AsyncGenerator<string> {
      for (let index = 0; index < text.length; index += size) yield text.slice(index, index + size);
    };
    const events = [];
    for await (const event of readEvents(chunks())) events.push(event);
    assert.deepEqual(events, expected, `${size}`);
  }
});
