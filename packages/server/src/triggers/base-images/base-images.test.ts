import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { type TestTriggers, baseImageTrigger, openTestTriggers } from '../test-triggers.ts';
import { addDependants } from '../test-transactions.ts';
import { takeMovedTags } from './moved-tag-transactions.ts';
import { takeUndecided } from './transactions.ts';

const minuteMs = 60_000;
const trigger = { baseImageTrigger };

forEachEngine((engine) => {
  test('what a task is built on is kept by its last successful run: by tag, each role, in its own place', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    await triggers.put('app-one', trigger);
    const digest = `sha256:${'a'.repeat(64)}`;
    await triggers.finish(await triggers.run('app-one'), [
      { repository: 'base', digest },
      { repository: 'tools', digest, role: 'buildtime' },
      { repository: 'pinned', digest, tag: null },
      { repository: 'node', digest, server: 'docker.io', tag: '22' },
    ]);
    const images = async (): Promise<readonly unknown[]> =>
      (await triggers.images('app-one')).map((row) => [
        `${row.server}/${row.repository}:${row.tag}`,
        row.role,
        row.is_watched,
        row.next_check_at === null ? 'push' : 'poll',
      ]);
    const runtimeOnly = [
      ['docker.io/library/node:22', 'runtime', 1, 'poll'],
      ['local.example/base:latest', 'runtime', 1, 'push'],
      ['local.example/tools:latest', 'buildtime', 0, 'push'],
    ];
    assert.deepEqual(await images(), runtimeOnly);
    await triggers.finish(await triggers.run('app-one'), [], { status: 'Failed' });
    assert.deepEqual(await images(), runtimeOnly, 'a failed run says nothing');
    await triggers.put('app-one', { baseImageTrigger: { ...baseImageTrigger, baseImageTriggerType: 'All' } });
    assert.deepEqual(await images(), [...runtimeOnly.slice(0, 2), ['local.example/tools:latest', 'buildtime', 1, 'push']]);
    await triggers.finish(await triggers.run('app-one'), [{ repository: 'other', digest }]);
    assert.deepEqual(await images(), [['local.example/other:latest', 'runtime', 1, 'push']]);
    await triggers.drop('app-one');
    assert.deepEqual(await images(), []);
  });

  test('several bases that move together make one run', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const bases = await dependent(triggers, 'app-two', ['base', 'runtime']);
    for (const { repository } of bases) await triggers.push(repository);
    await triggers.follow();
    const [run, first, ...others] = await triggers.runs('app-two');
    assert.ok(first !== undefined && others.length === 0);
    assert.deepEqual(run?.trigger?.kind === 'baseImage' && run.trigger.images.map(({ repository }) => repository), [
      'base',
      'runtime',
    ]);
    assert.equal((await triggers.reasons('app-two')).length, 2);
  });

  test('a base that moved while the run went on is seen when it ends', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    await triggers.put('late-app', trigger);
    const used = await triggers.push('base');
    const run = await triggers.run('late-app');
    await triggers.push('base');
    await triggers.follow();
    await triggers.finish(run, [{ repository: 'base', digest: used }]);
    await triggers.follow();
    assert.equal((await triggers.runs('late-app')).length, 2);
  });

  test('a run that was joined but had begun with the older digest is followed by another', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    await dependent(triggers, 'joined-app', ['base']);
    const second = await triggers.push('base');
    await triggers.follow();
    const [run] = await triggers.runs('joined-app');
    assert.ok(run !== undefined);
    await triggers.push('base');
    await triggers.follow();
    assert.match((await triggers.reasons('joined-app'))[0] ?? '', new RegExp(`joined to the run ${run.id}`));
    await triggers.finish(run, [{ repository: 'base', digest: second }]);
    await triggers.follow();
    const [last] = await triggers.runs('joined-app');
    assert.notEqual(last?.id, run.id);
  });

  test('attack 35: a tag that flaps runs a task so many times an hour, and the last digest wins', async (t) => {
    const triggers = await openTestTriggers(engine, t, { runsPerHour: 3 });
    const { clock } = triggers;
    const [base] = await dependent(triggers, 'flapping', ['base']);
    assert.ok(base !== undefined);
    let digest = base.digest;
    for (let second = 0; second < 20; second += 1) {
      clock.time += 1_000;
      digest = await triggers.push('base');
      await triggers.follow();
      const [run] = await triggers.runs('flapping');
      if (run?.status === 'Queued') await triggers.finish(run, [{ repository: 'base', digest }]);
    }
    assert.equal((await triggers.runs('flapping')).length, 1 + 3);
    const reasons = await triggers.reasons('flapping');
    assert.equal(reasons.length, 4, 'the pause is said once');
    assert.match(reasons[0] ?? '', /^3 runs for this image within an hour are enough/);
    clock.time += 59 * minuteMs;
    await triggers.follow();
    assert.equal((await triggers.runs('flapping')).length, 4);
    clock.time += minuteMs;
    await triggers.follow();
    const [last] = await triggers.runs('flapping');
    assert.equal((await triggers.runs('flapping')).length, 5);
    assert.equal(last?.trigger?.kind === 'baseImage' && last.trigger.images[0]?.digest, digest);
    await triggers.finish(last as NonNullable<typeof last>, [{ repository: 'base', digest }]);
    await triggers.follow();
    assert.equal((await triggers.runs('flapping')).length, 5);
  });

  test('attack 35: a tag that a client leads through the images of an index makes one run, for the index', async (t) => {
    const triggers = await openTestTriggers(engine, t, { settleMs: 400 });
    const { clock } = triggers;
    await dependent(triggers, 'indexed', ['base']);
    const first = await triggers.push('base');
    await triggers.follow();
    clock.time += 399;
    const second = await triggers.push('base');
    await triggers.follow();
    clock.time += 399;
    const whole = await triggers.push('base', { images: [first, second] });
    await triggers.follow();
    clock.time += 399;
    await triggers.follow();
    assert.equal((await triggers.runs('indexed')).length, 1, 'it may move on');
    clock.time += 1;
    await triggers.follow();
    const [run, , ...others] = await triggers.runs('indexed');
    assert.deepEqual(run?.trigger?.kind === 'baseImage' && run.trigger.images.map(({ digest }) => digest), [whole]);
    assert.deepEqual(others, []);
  });

  test('an index around the same images as before needs no run, another image in it does', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    await dependent(triggers, 'attested', ['base']);
    const image = await triggers.push('base');
    await triggers.follow();
    const [run] = await triggers.runs('attested');
    await triggers.push('base', { images: [image] });
    await triggers.follow();
    assert.match((await triggers.reasons('attested'))[0] ?? '', /^a run was queued for these images already/);
    await triggers.finish(run ?? '', [{ repository: 'base', digest: image }]);
    await triggers.push('base', { images: [image] });
    await triggers.follow();
    assert.match((await triggers.reasons('attested'))[0] ?? '', /^its images are what the last successful run used/);
    assert.equal((await triggers.runs('attested')).length, 2);
    const other = await triggers.push('base', { tag: 'other' });
    await triggers.push('base', { images: [image, other] });
    await triggers.follow();
    assert.equal((await triggers.runs('attested')).length, 3);
  });

  test('a tag that comes back to what was used needs no run', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const [base] = await dependent(triggers, 'calm-app', ['base']);
    await triggers.push('base');
    await triggers.push('base', { digest: base?.digest ?? '' });
    await triggers.follow();
    assert.equal((await triggers.runs('calm-app')).length, 1);
    assert.deepEqual(await triggers.reasons('calm-app'), ['it is what the last successful run used']);
  });

  test('attack 35: the run that pushes is known before it has ended, and after', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    await triggers.put('self-made', trigger);
    const base = await triggers.push('own');
    const run = await triggers.run('self-made');
    const pushed = await triggers.push('own', { runId: run.id });
    // The word of it goes before anybody knows that the task is built on it.
    await triggers.follow();
    await triggers.finish(run, [{ repository: 'own', digest: base }], { pushed: [{ repository: 'own', digest: pushed }] });
    await triggers.follow();
    assert.deepEqual(await triggers.reasons('self-made'), ['a run of the task itself pushed it: it would run for ever']);
    const again = await triggers.run('self-made');
    await triggers.push('own', { runId: again.id });
    await triggers.follow();
    await triggers.finish(again, [{ repository: 'own', digest: pushed }]);
    await triggers.follow();
    assert.equal((await triggers.runs('self-made')).length, 2);
  });

  test('attack 35: a thousand dependants are all queued, in the order of their names, and others have their turn', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { context, registry } = triggers;
    const length = engine.name === 'sqlite' ? 1_000 : 200;
    const tasks = Array.from({ length }, (_, n) => `dependant-${String(n).padStart(4, '0')}`);
    const digest = await triggers.push('base');
    await triggers.follow();
    for (const task of tasks) await triggers.put(task, trigger);
    const row = { registryId: registry.id, server: 'local.example', repository: 'base', digest };
    await context.database.write(addDependants, { ...row, tasks });
    await triggers.push('base');
    let longestMs = 0;
    let last = performance.now();
    const turns = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 5);
    const began = performance.now();
    await triggers.follow();
    clearInterval(turns);
    t.diagnostic(
      `${Math.round(performance.now() - began)} ms for ${tasks.length}; the event loop waited ${Math.round(longestMs)} ms`,
    );
    const queued = await context.runs.list({ registryId: registry.id, statuses: ['Queued'], limit: 1_000 });
    assert.equal(new Set(queued.map(({ task }) => task)).size, tasks.length);
    // Those that were taken together are queued together.
    const order = queued.toReversed().map(({ task }) => tasks.indexOf(task ?? ''));
    for (const [at, number] of order.entries()) assert.ok(Math.abs(at - number) < 16, `${number} is ${at}th`);
  });

  test('of several processes one follows each word, and what one left undone another does, without doubling it', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { context, clock, registry } = triggers;
    const [base] = await dependent(triggers, 'shared-app', ['base']);
    const moved = await triggers.push('base');
    const servers = [[registry.id, 'local.example']] as const;
    const take = { servers, limit: 10, now: clock.time, settledAt: clock.time };
    const taken = await Promise.all([1, 2, 3].map(() => context.database.write(takeMovedTags, take)));
    assert.deepEqual(
      taken.map((each) => each.taken).toSorted((a, b) => a - b),
      [0, 0, 1],
    );
    const hold = { limit: 16, now: clock.time, heldUntil: clock.time + minuteMs };
    const held = await Promise.all([1, 2].map(() => context.database.write(takeUndecided, hold)));
    assert.deepEqual(
      held.map((rows) => rows.length).toSorted((a, b) => a - b),
      [0, 1],
    );
    // Whoever took it queued the run, and died.
    const task = await context.tasks.find(registry.id, 'shared-app');
    assert.ok(task !== undefined && base !== undefined);
    const images = [{ registry: 'local.example', repository: 'base', tag: 'latest', digest: moved }];
    const because = { kind: 'baseImage', id: '1', timestamp: new Date(clock.time).toISOString(), images } as const;
    const run = await context.tasks.run({ registry, task, requestedBy: 'trigger', trigger: because });
    await triggers.follow();
    assert.deepEqual(await triggers.reasons('shared-app'), []);
    clock.time += minuteMs;
    await triggers.follow();
    assert.deepEqual(await triggers.reasons('shared-app'), [`the run ${run.id} was queued for this digest already`]);
    assert.equal((await triggers.runs('shared-app')).length, 2);
  });

  test('a full queue is tried again, and a task that cannot run is not', async (t) => {
    const triggers = await openTestTriggers(engine, t, { maxQueued: 1 });
    await dependent(triggers, 'patient', ['base']);
    const blocking = await triggers.run('patient');
    await triggers.push('base');
    await triggers.follow();
    assert.match((await triggers.reasons('patient'))[0] ?? '', /no run could be queued: 1 runs wait/);
    await triggers.finish(blocking, [], { status: 'Failed' });
    triggers.clock.time += 30_000;
    await triggers.follow();
    assert.equal((await triggers.runs('patient')).length, 3);
  });
});

/** A task with bases that its only run used. */
async function dependent(
  triggers: TestTriggers,
  task: string,
  repositories: readonly string[],
): Promise<readonly { readonly repository: string; readonly digest: string }[]> {
  await triggers.put(task, trigger);
  const bases: { repository: string; digest: string }[] = [];
  for (const repository of repositories) bases.push({ repository, digest: await triggers.push(repository) });
  await triggers.follow();
  await triggers.finish(await triggers.run(task), bases);
  await triggers.follow();
  return bases;
}
