import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, LogRecord } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { line, openTestRuns } from './test-runs.ts';
import { deleteRegistry } from './test-transactions.ts';

const ended = { outcome: 'Succeeded' as const, message: null, images: [], dependencies: [], temporaryTags: [] };
const dayMs = 86_400_000;

forEachEngine((engine) => {
  test('after a start leases have their time again, since agents could not report before', async (t) => {
    const before = await openTestRuns(engine, t);
    const agent = await before.addAgent();
    await before.queue();
    await before.queue();
    const [first, second] = [await before.claim(agent), await before.claim(agent, { name: 'two' })] as [Assignment, Assignment];
    before.clock.time += dayMs / 48;
    const after = await before.restarted();
    await after.round('sweep');
    assert.equal((await after.shown('ca1')).status, 'Started');
    after.clock.time += 20_000;
    assert.equal((await after.report(agent, first, { log: [line('still here')] })).status, 200);
    after.clock.time += 10_000;
    await after.round('sweep');
    assert.deepEqual([(await after.shown('ca1')).status, (await after.shown('ca2')).status], ['Running', 'Error']);
    assert.equal((await after.report(agent, second, { log: [] })).error, 'LEASE_LOST');
  });

  test('runs that take longer than they may end, and so do those whose agent does not cancel them', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    await runs.queue({}, { timeoutSeconds: 300 });
    await runs.queue();
    const first = (await runs.claim(agent)) as Assignment;
    const second = (await runs.claim(agent, { name: 'two' })) as Assignment;
    await runs.runs.cancel(runs.registry.id, 'ca2');
    for (let seconds = 0; seconds < 420; seconds += 20) {
      runs.clock.time += 20_000;
      await runs.report(agent, first, { log: [] });
      if (seconds < 120) await runs.report(agent, second, { log: [] });
      await runs.round('sweep');
    }
    assert.equal((await runs.shown('ca1')).status, 'Running', 'it has two minutes more');
    assert.deepEqual([(await runs.shown('ca2')).status], ['Canceled']);
    runs.clock.time += 1_000;
    await runs.round('sweep');
    const run = await runs.shown('ca1');
    assert.deepEqual([run.status, run.error], ['Timeout', 'the run has taken longer than its 300 seconds']);
    assert.deepEqual(
      runs.ended.map(({ id, status }) => [id, status]),
      [
        ['ca2', 'Canceled'],
        ['ca1', 'Timeout'],
      ],
    );
  });

  test('a run that no agent can take says so in its log, once; the lines of its agent follow', async (t) => {
    const before = await openTestRuns(engine, t);
    const agent = await before.addAgent();
    assert.equal(await before.claim(agent), undefined);
    await before.queue({}, { platform: { os: 'Linux', architecture: 'arm64' } });
    await before.queue();
    const pooled = await before.addAgent({ agentPool: 'fast' });
    await before.queue({}, { agentPool: 'fast' });
    const runs = await before.restarted();
    const texts = async (run: string): Promise<readonly string[]> => {
      const { json } = await runs.ask('read-run-log', { params: { run } });
      return (json as { readonly records: readonly LogRecord[] }).records.map(({ text }) => text);
    };
    runs.clock.time += 29_999;
    await runs.round('sweep');
    assert.deepEqual(await texts('ca1'), [], 'agents may still come back');
    runs.clock.time += 1;
    await Promise.all([runs.round('sweep'), runs.round('sweep')]);
    await runs.round('sweep');
    const arm = 'Waiting for an agent for linux/arm64: no agent builds for arm64; start one with berth agent';
    const pool =
      'Waiting for an agent for linux/amd64: no agent of the pool fast has asked for work in the last minute; start one with berth agent';
    assert.deepEqual(await Promise.all(['ca1', 'ca2', 'ca3'].map(texts)), [[arm], [], [pool]]);
    await runs.queue({}, { platform: { os: 'Linux', architecture: 'arm64' } });
    runs.clock.time += 9_999;
    await runs.round('sweep');
    assert.deepEqual(await texts('ca4'), [], 'it has just been queued');

    const assignment = (await runs.claim(pooled)) as Assignment;
    assert.equal(assignment.logFrom, 1);
    for (let times = 0; times < 2; times += 1)
      await runs.report(pooled, assignment, { logFrom: 1, log: [line('begins')], ...(times === 1 && { end: ended }) });
    assert.deepEqual(await texts('ca3'), [pool, 'begins']);
    assert.deepEqual((await runs.claim(agent, { architectures: ['amd64', 'arm64'] }))?.logFrom, 1);
    await runs.runs.cancel(runs.registry.id, 'ca4');
    assert.equal((await runs.shown('ca3')).logRecords, 2);
  });

  test('a run that nobody takes does not wait for ever', async (t) => {
    const runs = await openTestRuns(engine, t);
    await runs.queue();
    runs.clock.time += dayMs;
    await runs.queue();
    await runs.round('tidy');
    assert.equal((await runs.shown('ca1')).status, 'Queued');
    runs.clock.time += 1;
    await runs.round('tidy');
    const run = await runs.shown('ca1');
    assert.equal(run.status, 'Error');
    assert.match(run.error ?? '', /no agent has taken the run in time/);
    assert.equal((await runs.shown('ca2')).status, 'Queued');
  });

  test('ended runs go with their logs when their time is over, archived ones do not', async (t) => {
    const runs = await openTestRuns(engine, t, { runRetentionMs: dayMs });
    const agent = await runs.addAgent();
    for (let index = 0; index < 3; index += 1) {
      await runs.queue();
      const assignment = (await runs.claim(agent)) as Assignment;
      await runs.report(agent, assignment, { log: [line('x')], end: ended });
    }
    await runs.queue();
    await runs.runs.stop();
    const archived = await runs.ask('archive-run', { params: { run: 'ca2' }, body: { isArchived: true } });
    assert.equal(archived.status, 200);
    const left = async (): Promise<readonly number[]> => {
      const { read } = runs.database;
      const all = await Promise.all([
        read.selectFrom('runs').select('id').execute(),
        read.selectFrom('run_log_chunks').select('run_row_id').execute(),
        read.selectFrom('run_objects').select('id').execute(),
      ]);
      return all.map(({ length }) => length);
    };
    assert.deepEqual(await left(), [4, 3, 3]);
    runs.clock.time += dayMs / 2;
    await runs.round('tidy');
    assert.deepEqual(await left(), [4, 3, 3]);
    runs.clock.time += dayMs / 2 + 1;
    await runs.runs.cancel(runs.registry.id, 'ca4');
    await runs.round('tidy');
    assert.deepEqual(await left(), [2, 1, 1]);
    assert.equal(await runs.runs.find(runs.registry.id, 'ca1'), undefined);
    await runs.ask('archive-run', { params: { run: 'ca2' }, body: { isArchived: false } });
    await runs.round('tidy');
    assert.deepEqual(await left(), [1, 0, 0]);
    await runs.queue();
    assert.equal((await runs.runs.find(runs.registry.id, 'ca5'))?.id, 'ca5', 'numbers do not come again');
  });

  test('runs of a deleted registry go, whatever they do', async (t) => {
    const runs = await openTestRuns(engine, t);
    const other = await runs.addRegistry();
    await runs.queue({ registry: other });
    await runs.queue();
    await runs.database.write(deleteRegistry, { id: other.id });
    await runs.round('tidy');
    assert.equal(await runs.runs.find(other.id, 'ca1'), undefined);
    assert.equal((await runs.shown('ca1')).status, 'Queued');
  });

  test('agents are known for a day', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    await runs.queue();
    await runs.claim(agent);
    const shown = async (): Promise<readonly (readonly [string, boolean, readonly string[]])[]> => {
      const answer = await runs.ask('list-agents');
      const { agents } = answer.json as { agents: { name: string; isOnline: boolean; runs: string[] }[] };
      return agents.map(({ name, isOnline, runs: held }) => [name, isOnline, held] as const);
    };
    assert.deepEqual(await shown(), [['one', true, ['ca1']]]);
    assert.deepEqual((await runs.ask('list-agents')).json, {
      ...((await runs.ask('list-agents')).json as object),
      queue: [{ agentPool: null, queued: 0, running: 1 }],
      oldestQueuedSeconds: null,
    });
    await runs.queue();
    runs.clock.time += 90_000;
    assert.deepEqual(await shown(), [['one', false, ['ca1']]]);
    assert.equal(((await runs.ask('list-agents')).json as { oldestQueuedSeconds: number }).oldestQueuedSeconds, 90);
    runs.clock.time += dayMs;
    assert.deepEqual(await shown(), []);
    await runs.round('tidy');
    assert.deepEqual(await runs.database.read.selectFrom('agents').select('name').execute(), []);
  });
});
