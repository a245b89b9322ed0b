import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need, Run, RunToQueue } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { RegistryError } from '../../errors/index.ts';
import { runIdOf } from '../run-ids.ts';
import { type TestRuns, inline, openTestRuns, operator, principalOf } from '../test-runs.ts';

test('ids are short, count up and never come twice', () => {
  assert.deepEqual([1, 2, 35, 36, 935, 936].map(runIdOf), ['ca1', 'ca2', 'caz', 'cb0', 'czz', 'c100']);
  const many = Array.from({ length: 5_000 }, (_, index) => runIdOf(index + 1));
  assert.equal(new Set(many).size, many.length);
  for (const id of many) assert.match(id, /^c[a-z0-9]{2,3}$/);
});

const git = { kind: 'git' as const, url: 'https://git.example/a.git' };
const build = { kind: 'build' as const, images: ['team/app:v1'] };

async function refusal(runs: TestRuns, request: Partial<RunToQueue>): Promise<RegistryError> {
  try {
    await runs.queue({}, request);
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error;
  }
  return assert.fail(`${JSON.stringify(request)} was queued`);
}

/** May push to `team/…` and pull everything. */
const builder = principalOf(
  'token:builder',
  (need: Need) =>
    need.type === 'repository' && (need.action === 'pull' || (need.action === 'push' && need.name.startsWith('team/'))),
);

forEachEngine((engine) => {
  test('what cannot run is refused before it waits, and told why', async (t) => {
    const runs = await openTestRuns(engine, t);
    const cases: readonly (readonly [Partial<RunToQueue>, RegExp])[] = [
      [{ timeoutSeconds: 299 }, /from 300 to 28800/],
      [{ timeoutSeconds: 28_801 }, /from 300 to 28800/],
      [{ agentPool: 'a b' }, /name of an agent pool/],
      [{ platform: { os: 'Linux', architecture: 'mips' } }, /"mips" is not known/],
      [{ platform: { os: 'Linux', architecture: 'arm', variant: 'v9' } }, /variant is v6, v7 or v8/],
      [{ work: build }, /a build needs a source/],
      [{ work: { ...build, images: [], isPushed: true }, source: git }, /needs the name of an image/],
      [{ work: { ...build, images: ['Team/App'] }, source: git }, /"Team\/App" is no name of an image/],
      [{ work: { ...build, images: ['a:b:c'] }, source: git }, /no name of an image/],
      [{ work: { ...build, images: ['a b'] }, source: git }, /no name of an image/],
      [{ work: { ...build, platforms: ['linux'] }, source: git }, /"linux" is no platform/],
      [{ work: { kind: 'file', path: 'acb.yaml' } }, /is in a source, but there is none/],
      [{ source: { ...git, url: 'ext::sh -c id' } }, /no address of a git repository/],
      [{ source: { ...git, url: '--upload-pack=id' } }, /no address of a git repository/],
      [{ source: { ...git, url: 'file:///etc' } }, /no address of a git repository/],
      [{ source: { ...git, ref: '--upload-pack=id' } }, /ref, the folder or the commit/],
      [{ source: { kind: 'archive', url: 'ftp://a/b' } }, /address of an archive/],
      [{ source: { kind: 'oci', reference: 'A B' } }, /no artifact/],
      [{ logins: [{ server: 'https://a/', username: 'u', password: 'p' }] }, /no registry's host name/],
      [{ source: { kind: 'upload', id: 'nothing' } }, /no upload "nothing" of yours/],
    ];
    for (const [request, reason] of cases) {
      const error = await refusal(runs, request);
      assert.equal(error.error, 'INVALID_PARAMETER');
      assert.match(error.message, reason);
    }
    assert.deepEqual(await runs.runs.list({ registryId: runs.registry.id, limit: 10 }), []);
  });

  test('a task file is refused with all that is wrong with it, by line and column; what is known later does not count', async (t) => {
    const runs = await openTestRuns(engine, t);
    const content = 'steps:\n  - cmd: bash a\n    nonsense: 1\n  - build: -t a .\n    when: ["nobody"]\n    retries: many\n';
    const error = await refusal(runs, { work: { kind: 'inline', content } });
    assert.equal(error.error, 'TASK_FILE_INVALID');
    assert.match(error.message, /^3:5: .*nonsense/);
    assert.match(error.message, /\n6:\d+: /);
    const later = [
      'steps:\n  - cmd: bash {{.Values.name}} {{.Secrets.key}} {{.Run.ID}}\nsecrets:\n  - id: key\n    keyvault: https://berth/secrets/key\n',
      'version: v1.1.0\nalias:\n  src:\n    - ./aliases.yaml\nsteps:\n  - cmd: $later\n',
    ];
    for (const text of later) await runs.queue({}, { work: { kind: 'inline', content: text } });
  });

  test('a run needs an agent for its main platform', async (t) => {
    const runs = await openTestRuns(engine, t);
    const platforms = [
      [{}, 'amd64'],
      [{ platform: { os: 'Linux' as const, architecture: 'x86' } }, '386'],
      [{ work: { ...build, platforms: ['linux/arm64'] }, source: git }, 'arm64'],
      [{ work: { ...build, platforms: ['linux/arm64', 'linux/amd64'] }, source: git }, 'amd64'],
      [{ work: { ...build, platforms: ['linux/arm/v7', 'linux/arm64'] }, source: git }, 'arm'],
    ] as const;
    for (const [request, architecture] of platforms)
      assert.equal((await runs.queue({}, request as Partial<RunToQueue>)).platform.architecture, architecture);
  });

  test('a full queue takes no more, and other registries have their own', async (t) => {
    const runs = await openTestRuns(engine, t, { maxQueued: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => runs.queue()));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.equal((outcome.reason as RegistryError).error, 'TOOMANYREQUESTS');
    await runs.queue({ registry: await runs.addRegistry() });
  });

  test('whoever does not run the registry builds what they may push, and nothing else', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const ask = (body: unknown, principal = builder) => runs.ask('queue-run', { body, principal });
    const fine = { work: { ...build, images: ['team/app:{{.Run.ID}}', 'team/app'] }, source: git };
    assert.equal((await ask(fine)).status, 202);
    for (const [body, error] of [
      [{ work: { kind: 'inline', content: inline } }, 'DENIED'],
      [{ work: { kind: 'file', path: 'acb.yaml' }, source: git }, 'DENIED'],
      [{ ...fine, work: { ...build, images: ['other/app'] } }, 'DENIED'],
      [{ ...fine, work: { ...build, images: ['team/app', 'other/app'] } }, 'DENIED'],
      [{ ...fine, work: { ...build, images: ['{{.Run.Registry}}/team/app'] } }, 'INVALID_PARAMETER'],
      [{ ...fine, work: { ...build, images: ['team/{{.Run.ID}}'] } }, 'INVALID_PARAMETER'],
      [{ ...fine, work: { ...build, images: ['team/app:{{.Values.x}}'] } }, 'INVALID_PARAMETER'],
      [{ ...fine, logins: [{ server: 'a.example', username: 'u', password: 'p' }] }, 'DENIED'],
    ] as const)
      assert.equal((await ask(body)).error, error, JSON.stringify(body));
    const puller = principalOf('token:puller', (need) => need.type === 'repository' && need.action === 'push');
    assert.equal((await ask(fine, puller)).error, 'DENIED', 'who may not pull everything');
    for (const kind of ['anonymous', 'run', 'agent'] as const)
      assert.equal(
        (
          await ask(
            fine,
            principalOf(kind, (need) => need.type === 'repository', kind),
          )
        ).error,
        'DENIED',
        kind,
      );
    await runs.claim(agent);
    assert.deepEqual(runs.credentials.get('ca1'), [
      { type: 'repository', name: 'team/app', actions: ['push', 'pull', 'metadata_read'] },
      { type: 'repository', name: '*', actions: ['pull', 'metadata_read'] },
    ]);
  });

  test('attack 23: runs of others, and of other registries, are not there', async (t) => {
    const runs = await openTestRuns(engine, t);
    await runs.queue();
    await runs.queue({ requestedBy: builder.id });
    const other = await runs.addRegistry();
    for (const operation of ['get-run', 'cancel-run', 'read-run-log']) {
      const ask = (run: string, more = {}) =>
        runs.ask(operation, { params: { run }, ...(operation === 'cancel-run' && { body: {} }), ...more });
      const foreign = await ask('ca1', { principal: builder });
      const missing = await ask('ca7', { principal: builder });
      assert.deepEqual([foreign.error, foreign.message], ['NOT_FOUND', 'there is no run "ca1"'], operation);
      assert.equal(missing.message, 'there is no run "ca7"');
      assert.equal((await ask('ca1', { registry: other })).error, 'NOT_FOUND');
      assert.equal((await ask('ca2', { principal: builder })).error, undefined);
    }
    assert.equal((await runs.shown('ca1')).status, 'Queued');
    const listed = async (principal = builder): Promise<string[]> =>
      ((await runs.ask('list-runs', { principal })).json as { runs: Run[] }).runs.map(({ id }) => id);
    assert.deepEqual(await listed(), ['ca2']);
    assert.deepEqual(await listed(operator), ['ca2', 'ca1']);
    assert.deepEqual(((await runs.ask('list-runs', { registry: other })).json as { runs: Run[] }).runs, []);
  });

  test('runs are listed in pages, and found by what they are', async (t) => {
    const runs = await openTestRuns(engine, t);
    for (let index = 0; index < 5; index += 1) await runs.queue({ task: index % 2 === 0 ? 'even' : 'odd', runType: 'AutoRun' });
    await runs.runs.cancel(runs.registry.id, 'ca5');
    const list = async (query: Record<string, string>): Promise<{ ids: string[]; next: string | null }> => {
      const answer = await runs.ask('list-runs', { query });
      assert.equal(answer.status, 200, answer.message);
      const { runs: found, next } = answer.json as { runs: Run[]; next: string | null };
      return { ids: found.map(({ id }) => id), next };
    };
    assert.deepEqual(await list({ limit: '2' }), { ids: ['ca5', 'ca4'], next: 'ca4' });
    assert.deepEqual(await list({ limit: '3', before: 'ca4' }), { ids: ['ca3', 'ca2', 'ca1'], next: null });
    assert.deepEqual((await list({ task: 'odd' })).ids, ['ca4', 'ca2']);
    assert.deepEqual((await list({ status: 'Canceled' })).ids, ['ca5']);
    assert.deepEqual((await list({ before: 'nothing' })).ids, []);
    for (const query of [{ limit: '0' }, { limit: '101' }, { status: 'Sleeping' }, { task: 'x\0' }])
      assert.equal((await runs.ask('list-runs', { query })).error, 'INVALID_PARAMETER');
    const { registry } = runs;
    const find = async (filter: object): Promise<number> =>
      (await runs.runs.list({ registryId: registry.id, limit: 10, ...filter })).length;
    assert.equal(await find({ createdFrom: runs.clock.time, createdTo: runs.clock.time }), 5);
    assert.equal(await find({ createdFrom: runs.clock.time + 1 }), 0);
    assert.equal(await find({ finishedTo: runs.clock.time }), 1);
    assert.equal(await find({ runType: 'QuickRun' }), 0);
    assert.equal(await find({ runId: 'ca3', isArchived: false }), 1);
    assert.equal(await find({ statuses: [] }), 0);
  });

  test('a run that waits says where, and for what', async (t) => {
    const runs = await openTestRuns(engine, t);
    const reason = async (id: string): Promise<string> => {
      const { queue } = await runs.shown(id);
      return `${queue?.position}: ${queue?.reason}`;
    };
    for (let index = 0; index < 3; index += 1) await runs.queue();
    await runs.queue({}, { platform: { os: 'Linux', architecture: 'arm64' } });
    await runs.queue({}, { agentPool: 'fast' });
    assert.equal(await reason('ca3'), '3: no agent has asked for work in the last minute');
    assert.equal(await reason('ca5'), '1: no agent of the pool fast has asked for work in the last minute');
    const agent = await runs.addAgent();
    await runs.claim(agent, { os: 'Windows' });
    assert.equal(await reason('ca3'), '3: no agent runs on Linux');
    await runs.claim(agent);
    assert.equal(await reason('ca2'), '1: all agents that could execute it are busy');
    assert.equal(await reason('ca3'), '2: 1 run is before it');
    assert.equal(await reason('ca4'), '3: no agent builds for arm64');
    await runs.claim(agent, { name: 'two', architectures: ['arm64'] });
    await runs.claim(agent, { name: 'three' });
    await runs.claim(agent, { name: 'four', holds: [] });
    assert.equal((await runs.shown('ca4')).queue, null);
    runs.clock.time += 60_001;
    await runs.queue();
    assert.match(await reason('ca6'), /no agent has asked for work/, 'their leases have run out, too');
    assert.equal(await runs.runs.queuedIn(runs.registry.id, 'fast'), 1);
    assert.equal(await runs.runs.queuedIn(runs.registry.id, null), 1);
  });
});
