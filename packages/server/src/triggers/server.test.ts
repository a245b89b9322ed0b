import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BaseImageUse } from '@berth/api';
import { ManagerClient, readOwner } from '@berth/testkit';
import { type TestServer, baseImageTrigger, eventually, startTestServer } from './test-agent.ts';

/** The whole way over HTTP: tasks, pushes, and an agent that is played. */

test('a patched base image runs what is built on it, and what is built on that, and nothing loops', async (t) => {
  const server = await startTestServer(t);
  const base = await server.push('base', 'latest');
  // Each is built on the one before; the base itself could be built on the last, which would be a circle.
  const first = await firstBuild(server, 'dep-one', use(server, 'base', base.manifest.digest));
  const second = await firstBuild(server, 'dep-two', use(server, 'dep-one', first));
  assert.deepEqual(await counts(server), [1, 1], 'what runs pushed as their first says nothing new');

  const patched = await server.push('base', 'latest');
  const tookMs = await eventually(async () => (await server.runs('dep-one')).length === 2, 'the dependent is queued');
  t.diagnostic(`queued ${Math.round(tookMs)} ms after the push`);
  assert.ok(tookMs < 1_000, `it took ${tookMs} ms`);
  const one = await server.claim();
  assert.ok(one !== undefined);
  assert.equal(one.run.taskName, 'dep-one');
  const again = await server.play(one, { output: 'dep-one', bases: [use(server, 'base', patched.manifest.digest)] });
  assert.ok(again !== undefined);
  await eventually(async () => (await server.runs('dep-two')).length === 2, 'the third image follows');
  const two = await server.claim();
  assert.ok(two !== undefined);
  assert.equal(two.run.taskName, 'dep-two');
  const [run] = await server.runs('dep-two');
  assert.deepEqual(
    { ...(run?.trigger as object), id: '', timestamp: '' },
    {
      kind: 'baseImage',
      id: '',
      timestamp: '',
      images: [{ ...place(server, 'dep-one'), tag: 'latest', digest: again.manifest.digest }],
      chain: ['local/dep-one'],
    },
  );
  await server.play(two, { output: 'dep-two', bases: [use(server, 'dep-one', again.manifest.digest)] });
  await recorded(server, 'dep-two', again.manifest.digest);
  assert.deepEqual(await counts(server), [2, 2]);
  const { decisions, baseImages } = await server.decisions('dep-one');
  assert.deepEqual(
    decisions.map(({ isFired, reason, run: id }) => [isFired, reason, id]),
    [[true, 'it has another digest than the last successful run used', one.run.id]],
  );
  assert.deepEqual(
    baseImages.map(({ image, how, recordedDigest }) => [image, how, recordedDigest]),
    [[`${server.registry.host}/base:latest`, 'push', patched.manifest.digest]],
  );
  assert.notEqual(second, again.manifest.digest);
});

test('attack 35: an image built from itself, and two that are built from each other, come to rest', async (t) => {
  const server = await startTestServer(t);
  const own = await server.push('itself', 'latest');
  await firstBuild(server, 'itself', use(server, 'itself', own.manifest.digest));
  await why(server, 'itself', /a run of the task itself pushed it/);
  // Somebody else pushes it: one run, whose own push is no news.
  const pushed = await server.push('itself', 'latest');
  await eventually(async () => (await server.runs('itself')).length === 2, 'a push of somebody counts');
  await playNext(server, 'itself', use(server, 'itself', pushed.manifest.digest));
  await eventually(async () => (await server.decisions('itself')).decisions.length === 3, 'its own push is decided about');
  assert.equal((await server.runs('itself')).length, 2);

  const seed = await server.push('tick-a', 'latest');
  const b = await firstBuild(server, 'tick-b', use(server, 'tick-a', seed.manifest.digest));
  // The first of A is built on B, and B on it: B runs once, and A does not for what that brings.
  const a = await firstBuild(server, 'tick-a', use(server, 'tick-b', b));
  await eventually(async () => (await server.runs('tick-b')).length === 2, 'B follows A');
  await playNext(server, 'tick-b', use(server, 'tick-a', a));
  await why(server, 'tick-a', /go round for ever \(local\/tick-a → local\/tick-b\)/);
  assert.deepEqual([(await server.runs('tick-a')).length, (await server.runs('tick-b')).length], [1, 2]);
});

test('a failed run does not loop, a later digest fires again, and a run that waits takes what comes', async (t) => {
  const server = await startTestServer(t);
  const base = await server.push('base', 'latest');
  await firstBuild(server, 'dependent', use(server, 'base', base.manifest.digest));
  await server.push('base', 'latest');
  await eventually(async () => (await server.runs('dependent')).length === 2, 'a run is queued');
  const waiting = (await server.runs('dependent'))[0]?.id;
  const third = await server.push('base', 'latest');
  await why(server, 'dependent', new RegExp(`joined to the run ${waiting}`));
  const failing = await server.claim();
  assert.ok(failing !== undefined);
  await server.play(failing, { bases: [use(server, 'base', third.manifest.digest)], outcome: 'Failed' });
  assert.equal((await server.runs('dependent')).length, 2);
  const last = await server.push('base', 'latest');
  await eventually(async () => (await server.runs('dependent')).length === 3, 'a later digest fires again');
  await playNext(server, 'dependent', use(server, 'base', last.manifest.digest));
  await server.putTask('dependent', { baseImageTrigger: { ...baseImageTrigger, status: 'Disabled' } });
  await server.push('base', 'latest');
  await why(server, 'dependent', /the trigger is disabled/);
  assert.equal((await server.runs('dependent')).length, 3);
  // What moved meanwhile is made up for.
  await server.putTask('dependent', { baseImageTrigger });
  await eventually(async () => (await server.runs('dependent')).length === 4, 'an enabled trigger looks again');
});

test('an image in quarantine is waited for, and what a run pushed is still known as its own when it is let out', async (t) => {
  const server = await startTestServer(t);
  const base = await server.push('base', 'latest');
  await firstBuild(server, 'careful', use(server, 'base', base.manifest.digest));
  using manager = new ManagerClient(server.registry.url, await readOwner(server.registry.dataDir));
  const properties = { policies: { quarantinePolicy: { status: 'enabled' } } };
  assert.equal((await manager.call('PATCH', manager.provider('registries/local'), { properties })).status, 200);
  const letOut = (repository: string, digest: string): Promise<unknown> =>
    server.ask('PATCH', `/acr/v1/${repository}/_manifests/${digest}`, { quarantineState: 'Passed' });
  const scanned = await server.push('base', 'latest');
  await why(server, 'careful', /it is in quarantine/);
  assert.equal((await server.runs('careful')).length, 1);
  await letOut('base', scanned.manifest.digest);
  await eventually(async () => (await server.runs('careful')).length === 2, 'it runs when its base is let out');
  // From now on it is built from itself.
  const own = await playNext(server, 'careful', use(server, 'careful', base.manifest.digest));
  await letOut('careful', own);
  await why(server, 'careful', /a run of the task itself pushed it/);
  const last = await server.push('careful', 'latest');
  await eventually(
    async () => (await server.decisions('careful')).decisions[0]?.details['current'] === last.manifest.digest,
    'a push of somebody',
  );
  assert.equal((await server.runs('careful')).length, 2);
});

async function counts(server: TestServer): Promise<readonly number[]> {
  return Promise.all(['dep-one', 'dep-two'].map(async (task) => (await server.runs(task)).length));
}

function place(server: TestServer, repository: string): { readonly registry: string; readonly repository: string } {
  return { registry: server.registry.host, repository };
}

function use(server: TestServer, repository: string, digest: string): BaseImageUse {
  return { role: 'runtime', ...place(server, repository), tag: 'latest', digest };
}

/** Makes a task that pushes to a repository of its name, runs it once, and waits until its base is known. */
async function firstBuild(server: TestServer, task: string, base: BaseImageUse): Promise<string> {
  await server.putTask(task, { baseImageTrigger });
  await server.runTask(task);
  return playNext(server, task, base);
}

async function playNext(server: TestServer, task: string, base: BaseImageUse): Promise<string> {
  const assignment = await server.claim();
  assert.ok(assignment !== undefined);
  assert.equal(assignment.run.taskName, task);
  const image = await server.play(assignment, { output: task, bases: [base] });
  await recorded(server, task, base.digest);
  return image?.manifest.digest ?? '';
}

async function recorded(server: TestServer, task: string, digest: string): Promise<void> {
  await eventually(
    async () => (await server.decisions(task)).baseImages.some(({ recordedDigest }) => recordedDigest === digest),
    `${task} has its base`,
  );
}

async function why(server: TestServer, task: string, reason: RegExp): Promise<void> {
  await eventually(
    async () => (await server.decisions(task)).decisions.some((decision) => reason.test(decision.reason)),
    `${task}: ${reason}`,
  );
}
