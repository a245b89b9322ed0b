import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import type { TaskRun } from './model.ts';
import { putSecret } from './secrets/transactions.ts';
import { openTestTasks } from './test-tasks.ts';
import { addBaseImage } from './test-transactions.ts';

const platform = { os: 'Linux' };
const docker = {
  platform,
  timeout: 900,
  agentPoolName: 'builders',
  step: {
    type: 'Docker',
    contextPath: 'https://git.example/team/app.git#main:web',
    contextAccessToken: 'git-token',
    imageNames: ['app:{{.Run.ID}}'],
    arguments: [
      { name: 'A', value: '1', isSecret: false },
      { name: 'B', value: 'hidden', isSecret: true },
    ],
  },
  credentials: {
    customRegistries: {
      'other.example': {
        userName: { value: 'me', type: 'Opaque' },
        password: { value: 'https://berth/secrets/other', type: 'Vaultsecret' },
      },
      'identity.example': { identity: '[system]' },
    },
  },
};
const timer: Partial<TaskRun> = {
  trigger: { kind: 'timer', name: 't1', scheduleOccurrence: '2030-01-01T00:00:00Z' },
};

forEachEngine((engine) => {
  test('a build is what its task says, with what the run puts over it', async (t) => {
    const { put, runOf, keepSecret, registry } = await openTestTasks(engine, t);
    await keepSecret('other', 'kept');
    const task = await put('build-app', docker);
    const run = await runOf(task, {
      overrides: { arguments: [{ name: 'A', value: '2' }], target: 'final', file: 'Other', updateToken: 'dQ==' },
    });
    assert.deepEqual(run, {
      registry,
      request: {
        work: {
          kind: 'build',
          dockerfile: 'Other',
          images: ['app:{{.Run.ID}}'],
          isPushed: true,
          noCache: false,
          target: 'final',
          arguments: [
            { name: 'A', value: '2' },
            { name: 'B', value: 'hidden', isSecret: true },
          ],
        },
        platform: { os: 'Linux', architecture: 'amd64' },
        timeoutSeconds: 900,
        source: { kind: 'git', url: 'https://git.example/team/app.git', ref: 'main', folder: 'web', token: 'git-token' },
        agentPool: 'builders',
        logins: [{ server: 'other.example', username: 'me', password: 'kept' }],
      },
      runType: 'QuickBuild',
      task: 'build-app',
      requestedBy: 'admin:test',
      isTrusted: true,
      cacheKey: 'task:build-app',
      updateToken: 'dQ==',
    });
    assert.equal((await runOf(task, timer)).runType, 'AutoBuild');
  });

  test('attack 33: the run of a stranger has no secrets, no logins, no cache of the task, and pushes nothing', async (t) => {
    const { put, runOf } = await openTestTasks(engine, t);
    // That the secret of the login does not exist shows that nobody asks for it.
    const task = await put('build-app', docker);
    const fork = { commit: 'abcdef1', ref: 'pull/7/head', url: 'https://git.example/stranger/app.git' };
    const { request, cacheKey, isTrusted } = await runOf(task, { isTrusted: false, overrides: { commit: fork } });
    assert.deepEqual([isTrusted, cacheKey, request.logins], [false, undefined, undefined]);
    assert.ok(request.work.kind === 'build' && request.work.isPushed === false);
    assert.deepEqual(request.work.arguments, [{ name: 'A', value: '1', isSecret: false }]);
    assert.deepEqual(request.source, {
      kind: 'git',
      url: fork.url,
      ref: fork.ref,
      folder: 'web',
      commit: fork.commit,
      token: 'git-token',
    });
  });

  test('attack 30: the token of a context goes to no other host, whoever asks', async (t) => {
    const { put, runOf, keepSecret } = await openTestTasks(engine, t);
    await keepSecret('other', 'kept');
    const task = await put('build-app', docker);
    const elsewhere: readonly TaskRun['overrides'][] = [
      { contextPath: 'https://evil.example/team/app.git' },
      { contextPath: 'http://git.example/team/app.git' },
      { contextPath: 'https://git.example:8443/team/app.git' },
      { commit: { commit: 'abcdef1', ref: 'main', url: 'https://evil.example/app.git' } },
    ];
    for (const overrides of elsewhere) {
      const { request } = await runOf(task, { ...(overrides !== undefined && { overrides }) });
      assert.ok(request.source?.kind === 'git');
      assert.equal(request.source.token, undefined, JSON.stringify(overrides));
    }
    const own = await runOf(task, { overrides: { contextPath: 'https://me:mine@evil.example/app.git' } });
    assert.deepEqual(own.request.source, { kind: 'git', url: 'https://evil.example/app.git', token: 'mine' });
  });

  test('task files: in the source, and with the task', async (t) => {
    const { put, runOf } = await openTestTasks(engine, t);
    const values = [{ name: 'a', value: '1', isSecret: false }];
    const file = await put('by-file', {
      platform: { os: 'Linux', architecture: 'arm64' },
      step: {
        type: 'FileTask',
        contextPath: 'https://git.example/a.git',
        taskFilePath: 'acb.yaml',
        valuesFilePath: 'v.yaml',
        values,
      },
      access: [{ repository: 'team/app', actions: ['pull', 'push'] }],
    });
    const run = await runOf(file, { overrides: { values: [{ name: 'b', value: '2' }] } });
    assert.deepEqual(run.request.work, { kind: 'file', path: 'acb.yaml', valuesPath: 'v.yaml' });
    assert.deepEqual(run.request.values, [...values, { name: 'b', value: '2' }]);
    assert.deepEqual(run.access, [{ type: 'repository', name: 'team/app', actions: ['pull', 'push'] }]);
    assert.deepEqual(run.request.platform, { os: 'Linux', architecture: 'arm64' });
    const content = 'version: v1.1.0\nsteps:\n  - cmd: bash echo é\n';
    const inline = await put('inline-task', {
      platform,
      step: { type: 'EncodedTask', encodedTaskContent: Buffer.from(content).toString('base64') },
      credentials: { sourceRegistry: { loginMode: 'None' } },
    });
    const { request, access, runType } = await runOf(inline, timer);
    assert.deepEqual(request.work, { kind: 'inline', content });
    assert.deepEqual([request.source, access, runType], [undefined, [], 'AutoRun']);
    await assert.rejects(runOf(inline, { overrides: { file: 'x.yaml' } }), /brings its task file with it/);
  });

  test('a build for another architecture names it', async (t) => {
    const { put, runOf } = await openTestTasks(engine, t);
    const step = { type: 'Docker', contextPath: 'https://git.example/a.git' };
    const arm = await put('for-arm', { platform: { os: 'Linux', architecture: 'arm', variant: 'v7' }, step });
    const { work } = (await runOf(arm)).request;
    assert.ok(work.kind === 'build');
    assert.deepEqual([work.platforms, work.isPushed], [['linux/arm/v7'], false]);
    const both = await put('for-both', { platform, step: { ...step, platforms: ['linux/amd64', 'linux/arm64'] } });
    const index = (await runOf(both)).request.work;
    assert.deepEqual(index.kind === 'build' && index.platforms, ['linux/amd64', 'linux/arm64']);
  });

  test('a task asks for SBOM and provenance as a quick build does, until it is told not to', async (t) => {
    const { put, runOf } = await openTestTasks(engine, t);
    const step = { type: 'Docker', contextPath: 'https://git.example/a.git', imageNames: ['a:v1'] };
    const asked = async (more: object): Promise<unknown> => {
      const { work } = (await runOf(await put('attested', { platform, step: { ...step, ...more } }))).request;
      return work.kind === 'build' && [work.sbom, work.provenance];
    };
    assert.deepEqual(await asked({ sbom: true, provenance: true }), [true, true]);
    assert.deepEqual(await asked({ sbom: false }), [undefined, undefined]);
  });

  test('what the last run was built on is shown, as ACR calls it', async (t) => {
    const { put, tasks, database, registry } = await openTestTasks(engine, t);
    const task = await put('for-arm', { platform, step: { type: 'Docker', contextPath: 'https://git.example/a.git' } });
    const image = { registry_id: registry.id, task: 'for-arm', tag: '1', is_watched: 1, failures: 0 };
    const digest = `sha256:${'a'.repeat(64)}`;
    for (const [server, repository, role] of [
      ['docker.io', 'library/node', 'buildtime'],
      ['local.example', 'base', 'runtime'],
    ] as const)
      await database.write(addBaseImage, { ...image, server, repository, role, recorded_digest: digest });
    const { step } = await tasks.details(task);
    assert.deepEqual((step as { baseImageDependencies: unknown }).baseImageDependencies, [
      { type: 'BuildTime', registry: 'registry.hub.docker.com', repository: 'library/node', tag: '1', digest },
      { type: 'RunTime', registry: 'local.example', repository: 'base', tag: '1', digest },
    ]);
  });

  test('a secret of one registry does not open in another', async (t) => {
    const { put, tasks, registry } = await openTestTasks(engine, t);
    const task = await put('build-app', docker);
    const sealed = task.properties.step?.contextAccessToken;
    assert.ok(sealed !== undefined);
    assert.equal(tasks.open(registry.id, sealed), 'git-token');
    assert.ok(!JSON.stringify(task).includes('git-token'));
    assert.throws(() => tasks.open(registry.id + 1, sealed));
    const bytes = Buffer.from(sealed.sealed, 'base64');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    assert.throws(() => tasks.open(registry.id, { ...sealed, sealed: bytes.toString('base64') }), /does not open/);
  });

  test('a registry keeps no more secrets than it may; those that are there can be replaced', async (t) => {
    const { database, registry } = await openTestTasks(engine, t);
    const row = { registry_id: registry.id, data_key_id: 'k', sealed: Buffer.from('x'), updated_at: 1 };
    const keep = (name: string) => database.write(putSecret, { row: { ...row, name }, atMost: 1 });
    assert.deepEqual([await keep('a'), await keep('b'), await keep('a')], ['kept', 'full', 'kept']);
  });

  test('others are told of changes', async (t) => {
    const { put, tasks, registry } = await openTestTasks(engine, t);
    const seen: unknown[] = [];
    tasks.onChanged((change) => seen.push(change));
    await put('system', { platform, isSystemTask: true });
    assert.deepEqual(seen, [{ registryId: registry.id, name: 'system' }]);
    assert.deepEqual(
      (await tasks.all()).map(({ name }) => name),
      ['system'],
    );
    const task = await tasks.find(registry.id, 'SYSTEM');
    assert.equal(task?.name, 'system');
    await assert.rejects(tasks.run({ registry, task, requestedBy: 'x' }), /has no step of its own/);
  });
});
