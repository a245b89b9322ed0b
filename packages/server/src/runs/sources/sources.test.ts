import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Assignment } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { RegistryError } from '../../errors/index.ts';
import { type TestRuns, openTestRuns, operator, principalOf } from '../test-runs.ts';

const ended = { outcome: 'Succeeded' as const, message: null, images: [], dependencies: [], temporaryTags: [] };

async function upload(runs: TestRuns, body: Buffer | Readable, principal = operator): Promise<string> {
  const answer = await runs.ask('upload-source', { body, principal });
  assert.equal(answer.status, 201, answer.message);
  return (answer.json as { id: string }).id;
}

async function objects({
  database,
}: TestRuns): Promise<readonly { readonly part_name: string; readonly size_bytes: number | null }[]> {
  return database.read.selectFrom('run_objects').select(['part_name', 'size_bytes']).execute();
}

function signedUpload(secret: string, body: Readable): Parameters<TestRuns['runs']['receiveSource']>[2] {
  return { secret, body, sizeBytes: undefined, signal: new AbortController().signal };
}

/** Breaks off after some bytes. */
function broken(): Readable {
  return Readable.from(
    (async function* () {
      yield randomBytes(1000);
      throw new Error('the connection broke');
    })(),
    { objectMode: false },
  );
}

forEachEngine((engine) => {
  test('an upload is for one run of whoever sent it, sealed, and gone when the run has ended', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const archive = randomBytes(300_000);
    const id = await upload(
      runs,
      Readable.from([archive.subarray(0, 70_000), archive.subarray(70_000)].map((each) => Buffer.from(each))),
    );
    const source = { kind: 'upload' as const, id };
    await assert.rejects(runs.queue({ requestedBy: 'token:other' }, { source }), /no upload .* of yours/);
    await assert.rejects(runs.queue({ registry: await runs.addRegistry() }, { source }), /no upload .* of yours/);
    await runs.queue({}, { source });
    await assert.rejects(runs.queue({}, { source }), /not used yet/);
    const assignment = (await runs.claim(agent)) as Assignment;
    const read = (): ReturnType<TestRuns['ask']> =>
      runs.ask('read-agent-source', {
        params: { run: assignment.run.id },
        headers: { 'berth-lease': assignment.lease },
        principal: agent.principal,
      });
    const whole = await read();
    assert.equal(whole.status, 200, whole.message);
    assert.ok(whole.bytes.equals(archive), 'the bytes are those that were sent');
    const [object] = await objects(runs);
    const stored = await runs.files.open(object?.part_name ?? '');
    assert.ok(stored.sizeBytes > archive.length);
    await stored.close();
    await runs.report(agent, assignment, { end: ended });
    await runs.runs.stop();
    assert.deepEqual(await objects(runs), []);
    await assert.rejects(runs.files.open(object?.part_name ?? ''), { name: 'PartMissingError' });
    assert.equal((await read()).error, 'NOT_FOUND');
  });

  test('what is too large, empty, of another length or broken off leaves nothing', async (t) => {
    const runs = await openTestRuns(engine, t);
    for (const body of [Readable.from([randomBytes(2 ** 20), Buffer.from('x')]), randomBytes(2 ** 20 + 1), Readable.from([])])
      assert.equal((await runs.ask('upload-source', { body })).error, 'SIZE_INVALID');
    await assert.rejects(runs.ask('upload-source', { body: broken() }), /the connection broke/);
    assert.deepEqual(await objects(runs), []);
  });

  test('whoever may not build uploads nothing', async (t) => {
    const runs = await openTestRuns(engine, t);
    const asks = [principalOf('a', () => true, 'anonymous'), principalOf('b', () => true, 'run'), principalOf('c', () => false)];
    for (const principal of asks)
      assert.equal((await runs.ask('upload-source', { body: Buffer.from('x'), principal })).error, 'DENIED');
  });

  test('a signed address takes one upload, with its secret, for its time', async (t) => {
    const runs = await openTestRuns(engine, t);
    const { registry } = runs;
    const { id, secret } = await runs.runs.reserveSource(registry, operator.id);
    const send = (what: string, body = Readable.from([Buffer.from('archive')])): Promise<boolean> =>
      runs.runs.receiveSource(registry, id, signedUpload(what, body));
    assert.equal(await send('another'), false);
    assert.equal(await runs.runs.receiveSource(await runs.addRegistry(), id, signedUpload(secret, Readable.from([]))), false);
    await assert.rejects(send(secret, broken()), /the connection broke/);
    const outcomes = await Promise.all([send(secret), send(secret), send(secret)]);
    assert.equal(outcomes.filter(Boolean).length, 1);
    assert.equal(await send(secret), false);
    await runs.queue({}, { source: { kind: 'upload', id } });
    const late = await runs.runs.reserveSource(registry, operator.id);
    runs.clock.time += 3_600_001;
    assert.equal(await runs.runs.receiveSource(registry, late.id, signedUpload(late.secret, Readable.from(['x']))), false);
    await runs.round('tidy');
    assert.equal((await objects(runs)).length, 1, 'the one of the run');
  });

  test('a source that no run takes is erased after a day, and a run does not take one that is being erased', async (t) => {
    const runs = await openTestRuns(engine, t);
    const id = await upload(runs, Buffer.from('archive'));
    runs.clock.time += 86_400_001;
    await assert.rejects(runs.queue({}, { source: { kind: 'upload', id } }), RegistryError);
    // The store is away: the row stays, and nobody can use it.
    const deleteMany = runs.files.deleteMany.bind(runs.files);
    runs.files.deleteMany = () => Promise.reject(new Error('the store is away'));
    await assert.rejects(runs.round('tidy'), /the store is away/);
    assert.equal((await objects(runs)).length, 1);
    await assert.rejects(runs.queue({}, { source: { kind: 'upload', id } }), RegistryError);
    runs.files.deleteMany = deleteMany;
    runs.clock.time += 600_001;
    await runs.round('tidy');
    assert.deepEqual(await objects(runs), []);
  });
});
