import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Run } from '@berth/api';
import { GitHost } from './git-host.ts';
import { taskSuite } from './task-suite.ts';

const file = [
  'version: v1.1.0',
  'secrets:',
  '  - id: token',
  '    keyvault: https://berth/secrets/deploy',
  'steps:',
  '  - cmd: $Registry/base/tools:v1 cat word.txt',
  '  - cmd: $Registry/base/tools:v1 echo {{.Run.Commit}} {{.Run.Branch}} {{.Secrets.token}}',
].join('\n');

taskSuite('sources', { programs: ['git'] }, (world) => {
  let git: GitHost;
  before(async () => {
    git = await GitHost.start(world());
    await world().pushTools('base/tools:v1', []);
    assert.equal((await world().call('PUT', '/berth/v1/secrets/deploy', { value: 'very secret value' })).status, 200);
    await world().startAgent();
  });
  after(() => git?.stop());

  /** Sends what GitHub sends. */
  const deliver = async (
    event: string,
    payload: object,
  ): Promise<{ readonly status: number; readonly run: string | null; readonly reason: string }> => {
    const hook = (await world().call('GET', '/berth/v1/tasks/watcher/hooks/source')).json as {
      readonly url: string;
      readonly secret: string;
    };
    const body = JSON.stringify(payload);
    using client = world().client;
    const answer = await client.request('POST', new URL(hook.url).pathname, {
      authorization: 'none',
      body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': event,
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
      },
    });
    return { status: answer.status, ...(JSON.parse(answer.body.toString()) as { run: string | null; reason: string }) };
  };
  const repository = (): object => ({
    clone_url: git.url('app'),
    html_url: git.url('app').replace(/\.git$/, ''),
    full_name: 'team/app',
    fork: false,
    id: 1,
  });
  const output = async (id: string): Promise<readonly string[]> =>
    (await world().log(id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);

  test('a commit that a forge tells of runs the task on that commit', async () => {
    const first = await git.commit('app', 'main', { 'sub/task.yaml': file, 'sub/word.txt': 'one\n' });
    const properties = {
      platform: { os: 'Linux', architecture: 'amd64' },
      step: { type: 'FileTask', taskFilePath: 'task.yaml', contextPath: `${git.url('app')}#main:sub` },
      trigger: {
        sourceTriggers: [
          {
            name: 'source',
            sourceTriggerEvents: ['commit', 'pullrequest'],
            sourceRepository: { sourceControlType: 'Github', repositoryUrl: git.url('app'), branch: 'main' },
          },
        ],
      },
    };
    const made = await world().call('PUT', '/berth/v1/tasks/watcher', { properties });
    assert.equal(made.status, 201, JSON.stringify(made.json));
    const second = await git.commit('app', 'main', { 'sub/task.yaml': file, 'sub/word.txt': 'two\n' });
    await git.commit('app', 'main', { 'sub/task.yaml': file, 'sub/word.txt': 'three\n' });
    const { status, run, reason } = await deliver('push', {
      ref: 'refs/heads/main',
      before: first,
      after: second,
      deleted: false,
      created: false,
      repository: repository(),
      head_commit: { id: second, message: 'change' },
      commits: [{ id: second, message: 'change', added: [], removed: [], modified: ['sub/word.txt'] }],
    });
    assert.equal(status, 202, reason);
    const ended = await world().ended(run ?? reason);
    assert.equal(ended.status, 'Succeeded', ended.error ?? '');
    assert.deepEqual(await output(ended.id), ['two', `${second} main ***`]);
    assert.equal((ended.trigger as { readonly kind?: string } | null)?.kind, 'source');
  });

  test('attack 33: a pull request of a fork runs without secrets', async () => {
    const pull = await git.commit('app', 'proposal', { 'sub/task.yaml': file, 'sub/word.txt': 'from outside\n' });
    await git.setRef('app', 'refs/pull/7/head', pull);
    const { status, run, reason } = await deliver('pull_request', {
      action: 'opened',
      number: 7,
      pull_request: {
        number: 7,
        head: {
          sha: pull,
          ref: 'proposal',
          repo: { fork: true, full_name: 'stranger/app', clone_url: git.url('stranger'), id: 2 },
        },
        base: { ref: 'main', sha: pull, repo: { ...repository() } },
      },
      repository: repository(),
    });
    assert.equal(status, 202, reason);
    const ended: Run = await world().ended(run ?? reason);
    const log = (await world().log(ended.id)).map(({ text }) => text).join('\n');
    assert.ok(!log.includes('very secret value'));
    assert.equal(ended.status, 'Failed');
    assert.match(`${ended.error}\n${log}`, /secret/);
    const harmless = await git.commit('app', 'harmless', {
      'sub/task.yaml': 'version: v1.1.0\nsteps:\n  - cmd: $Registry/base/tools:v1 cat word.txt\n',
      'sub/word.txt': 'fine\n',
    });
    await git.setRef('app', 'refs/pull/8/head', harmless);
    const next = await deliver('pull_request', {
      action: 'synchronize',
      number: 8,
      pull_request: {
        number: 8,
        head: {
          sha: harmless,
          ref: 'harmless',
          repo: { fork: true, full_name: 'stranger/app', clone_url: git.url('stranger'), id: 2 },
        },
        base: { ref: 'main', sha: harmless, repo: { ...repository() } },
      },
      repository: repository(),
    });
    const done = await world().ended(next.run ?? next.reason);
    assert.equal(done.status, 'Succeeded', done.error ?? '');
    assert.deepEqual(await output(done.id), ['fine']);
  });

  test('a private repository is read with its token, which nobody sees', async () => {
    const here = world();
    const closed = await GitHost.start(here, 'x-access-token:a token of the repository');
    try {
      await closed.commit('private', 'main', {
        'task.yaml': 'version: v1.1.0\nsteps:\n  - cmd: $Registry/base/tools:v1 cat word.txt\n',
        'word.txt': 'private\n',
      });
      const body = {
        work: { kind: 'file', path: 'task.yaml' },
        source: { kind: 'git', url: closed.url('private'), ref: 'main' },
      };
      const without = (await here.call('POST', '/berth/v1/runs', body)).json as Run;
      assert.equal((await here.ended(without.id)).status, 'Failed');
      const token = 'a token of the repository';
      const queued = (await here.call('POST', '/berth/v1/runs', { ...body, source: { ...body.source, token } })).json as Run;
      const run = await here.ended(queued.id);
      assert.equal(run.status, 'Succeeded', run.error ?? '');
      assert.ok(!(await here.log(run.id)).some(({ text }) => text.includes(token)));
    } finally {
      await closed.stop();
    }
  });
});
