import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '@berth/api';
import { taskSuite } from './task-suite.ts';
import type { TaskWorld } from './task-world.ts';

interface Decisions {
  readonly decisions: readonly { readonly isFired: boolean; readonly reason: string; readonly run: string | null }[];
}

/** A task that builds `image` from a task file of its own, on a base of the same registry. */
async function createTask(
  world: TaskWorld,
  name: string,
  { image, base }: { readonly image: string; readonly base: string },
): Promise<void> {
  const content = [
    'version: v1.1.0',
    'steps:',
    `  - cmd: $Registry/base/os:v1 sh -c "printf 'FROM $Registry/${base}\\nRUN cat /patch > /${name}\\n' > Dockerfile"`,
    `  - build: -t $Registry/${image} .`,
    `  - push: ["$Registry/${image}"]`,
  ];
  const properties = {
    platform: { os: 'Linux', architecture: 'amd64' },
    step: { type: 'EncodedTask', encodedTaskContent: Buffer.from(content.join('\n')).toString('base64') },
    trigger: { baseImageTrigger: { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' } },
  };
  const { status, json } = await world.call('PUT', `/berth/v1/tasks/${name}`, { properties });
  assert.equal(status, 201, JSON.stringify(json));
}

async function pushBase(world: TaskWorld, patch: string): Promise<void> {
  const Dockerfile = `FROM ${world.host}/base/tools:v1\nCOPY patch /patch\n`;
  await world.pushImage(await world.write(`base-${patch}`, { Dockerfile, patch: `${patch}\n` }), 'base/os:v1');
}

async function runsOf(world: TaskWorld, task: string): Promise<readonly Run[]> {
  return ((await world.call('GET', `/berth/v1/runs?task=${task}`)).json as { readonly runs: readonly Run[] }).runs;
}

/** The newest run, once there are so many. */
function nextRun(world: TaskWorld, task: string, count: number): Promise<Run> {
  return world.until(`run ${count} of ${task}`, async () => {
    const runs = await runsOf(world, task);
    return runs.length >= count ? runs[0] : undefined;
  });
}

async function runTask(world: TaskWorld, task: string): Promise<Run> {
  const { status, json } = await world.call('POST', `/berth/v1/tasks/${task}/runs`, {});
  assert.equal(status, 202, JSON.stringify(json));
  const run = await world.ended((json as Run).id);
  assert.equal(run.status, 'Succeeded', run.error ?? '');
  return run;
}

taskSuite('base images', {}, (world) => {
  test('a patched base rebuilds what stands on it, and what stands on that, and nothing loops', async () => {
    const here = world();
    await here.pushTools('base/tools:v1', []);
    await pushBase(here, 'one');
    await here.startAgent();
    await createTask(here, 'middle', { image: 'chain/middle:v1', base: 'base/os:v1' });
    await createTask(here, 'upper', { image: 'chain/upper:v1', base: 'chain/middle:v1' });
    await runTask(here, 'middle');
    await runTask(here, 'upper');
    const before = await here.digest('chain/upper', 'v1');
    await pushBase(here, 'two');
    const pushedAt = Date.now();
    const patched = await here.digest('base/os', 'v1');

    const middle = await nextRun(here, 'middle', 2);
    assert.ok(Date.parse(middle.createdAt) - pushedAt < 1_000, 'it is queued within a second of the push');
    assert.equal(middle.runType, 'AutoRun');
    assert.equal((await here.ended(middle.id)).status, 'Succeeded');
    const upper = await nextRun(here, 'upper', 2);
    const { status, dependencies } = await here.ended(upper.id);
    assert.equal(status, 'Succeeded');
    assert.equal(dependencies[0]?.bases[0]?.digest, await here.digest('chain/middle', 'v1'));
    assert.equal((await here.run(middle.id)).dependencies[0]?.bases[0]?.digest, patched);
    const after = await here.digest('chain/upper', 'v1');
    assert.notEqual(after, before);
    await here.engine.docker(['pull', '--quiet', `${here.host}/chain/upper:v1`]);
    for (const file of ['middle', 'upper']) {
      const { stdout } = await here.engine.docker(['run', '--rm', `${here.host}/chain/upper:v1`, 'cat', `/${file}`]);
      assert.equal(stdout, 'two\n', `the patch is in /${file}`);
    }

    // The same content again is no change, and what was built in answer to a change makes none.
    await pushBase(here, 'two');
    await pushBase(here, 'three');
    await here.ended((await nextRun(here, 'upper', 3)).id);
    assert.equal((await runsOf(here, 'middle')).length, 3);
    assert.equal((await runsOf(here, 'upper')).length, 3);
    const { decisions } = (await here.call('GET', '/berth/v1/tasks/middle/decisions')).json as Decisions;
    assert.deepEqual(decisions.filter(({ isFired }) => isFired).length, 2);
    for (const { reason } of decisions) assert.ok(reason.length > 0);
    assert.deepEqual(await here.engine.labelled('berth.run'), [], 'nothing is left');
  });
});
