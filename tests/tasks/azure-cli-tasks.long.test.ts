import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type SpawnedRegistry, readOwner, spawnRegistry } from '@berth/testkit';
import { type AzureSession, pick } from '../clients/azure-session.ts';
import { openAzure } from './azure-world.ts';
import { GitHost } from './git-host.ts';
import { taskSuite } from './task-suite.ts';

const inLocal = ['--registry', 'local'];
const file = [
  'version: v1.1.0',
  'steps:',
  '  - cmd: $Registry/base/tools:v1 cat word.txt',
  '  - cmd: $Registry/base/tools:v1 echo {{.Run.TaskName}} at {{.Run.Commit}} with {{.Values.color}}\n',
].join('\n');

/** Tasks of the Azure CLI, unmodified, and what they execute. */
taskSuite('azure-cli tasks', { programs: ['az', 'git'], settings: { tls: 'auto' } }, (world) => {
  let azure: AzureSession;
  let git: GitHost | undefined;
  let commit = '';
  const repository = (): string => git?.url('app') ?? assert.fail('there is no git server');

  before(async () => {
    const here = world();
    azure = await openAzure(here);
    git = await GitHost.start(here);
    await here.pushTools('base/tools:v1', []);
    commit = await git.commit('app', 'main', {
      'sub/task.yaml': file,
      'sub/word.txt': 'a word of the repository\n',
      Dockerfile: `FROM ${here.host}/base/tools:v1\nCOPY sub/word.txt /\nCMD ["cat", "/word.txt"]\n`,
    });
    await here.startAgent();
  });
  after(() => git?.stop());

  interface Listed {
    readonly runId: string;
    readonly status: string;
    readonly task: string | null;
  }
  const runsOf = async (name: string): Promise<readonly Listed[]> =>
    (await azure.acr('task', 'list-runs', ...inLocal, '--name', name)) as readonly Listed[];
  const noTriggers = ['--commit-trigger-enabled', 'false', '--base-image-trigger-enabled', 'false'];

  test('a task file of a git repository runs on its commit, with values of the task and of the run', async () => {
    const task = [...inLocal, '--name', 'words'];
    const context = ['--context', `${repository()}#main:sub`, '--file', 'task.yaml'];
    await azure.acr('task', 'create', ...task, ...context, '--set', 'color=red', ...noTriggers);
    const printed = await azure.acrText('task', 'run', ...task);
    assert.match(printed, /a word of the repository/);
    assert.match(printed, new RegExp(`words at ${commit} with red`));
    assert.match(await azure.acrText('task', 'run', ...task, '--set', 'color=blue'), /with blue/);
    const runs = await runsOf('words');
    assert.deepEqual(
      runs.map(({ status, task: name }) => [status, name]),
      [
        ['Succeeded', 'words'],
        ['Succeeded', 'words'],
      ],
    );
    assert.match(await azure.acrText('task', 'logs', ...task), /with blue/);
    assert.match(await azure.acrText('task', 'logs', ...inLocal, '--run-id', runs[1]?.runId ?? ''), /with red/);
  });

  test('a Dockerfile of a git repository becomes an image, by a task and by a quick build', async () => {
    const here = world();
    const task = [...inLocal, '--name', 'image'];
    const source = ['--context', `${repository()}#main`, '--file', 'Dockerfile', '--image', 'git/app:{{.Run.ID}}'];
    await azure.acr('task', 'create', ...task, ...source, '--commit-trigger-enabled', 'false');
    await azure.acrText('task', 'run', ...task);
    const [run] = await runsOf('image');
    await azure.acrText('build', ...inLocal, '--image', 'git/app:quick', `${repository()}#main`);
    for (const tag of [run?.runId, 'quick']) {
      const image = `${here.host}/git/app:${tag}`;
      await here.engine.docker(['pull', '--quiet', image]);
      assert.equal((await here.engine.docker(['run', '--rm', image])).stdout, 'a word of the repository\n');
    }
    // What the build found is what the base image's trigger goes by.
    const shown = await azure.acr('task', 'show-run', ...inLocal, '--run-id', run?.runId ?? '');
    assert.deepEqual(pick(shown, 'status', 'outputImages.0.tag'), ['Succeeded', run?.runId]);
    assert.deepEqual(pick(await here.run(run?.runId ?? ''), 'dependencies.0.bases.0.digest'), [
      await here.digest('base/tools', 'v1'),
    ]);
  });

  test('a base image that is pushed anew runs the tasks that stand on it', async () => {
    const here = world();
    const patched = await here.write('patched', { Dockerfile: `FROM ${here.host}/base/tools:v1\nCOPY patch /\n`, patch: '' });
    await here.pushImage(patched, 'base/tools:v1');
    const next = await here.until('a run for the new base image', async () => {
      const [newest, ...earlier] = await runsOf('image');
      return earlier.length > 0 ? newest : undefined;
    });
    assert.equal((await here.ended(next.runId)).status, 'Succeeded');
    const shown = await azure.acr('task', 'show-run', ...inLocal, '--run-id', next.runId);
    assert.deepEqual(pick(shown, 'runType', 'imageUpdateTrigger.images.0.tag'), ['AutoBuild', 'v1']);
  });

  test('a task that is made with a token reads the private repository, and runs when it is told of a commit', async () => {
    const here = world();
    const token = 'a-token-of-the-repository';
    const closed = await GitHost.start(here, `x-access-token:${token}`);
    try {
      await closed.commit('private', 'main', { 'task.yaml': file, 'word.txt': 'first words\n' });
      const task = [...inLocal, '--name', 'watcher'];
      const context = ['--context', `${closed.url('private')}#main`, '--file', 'task.yaml', '--git-access-token', token];
      const made = await azure.acr('task', 'create', ...task, ...context);
      assert.deepEqual(pick(made, 'trigger.sourceTriggers.0.sourceTriggerEvents.0', 'step.contextAccessToken'), ['commit', null]);
      assert.match(await azure.acrText('task', 'run', ...task), /first words/);
      const head = await closed.commit('private', 'main', { 'task.yaml': file, 'word.txt': 'second words\n' });
      const told = await tell('watcher', { ref: 'refs/heads/main', commit: head, repository: closed.url('private') });
      assert.equal((await here.ended(told)).status, 'Succeeded');
      const printed = await azure.acrText('task', 'logs', ...inLocal, '--run-id', told);
      assert.match(printed, new RegExp(`second words[^]*at ${head}`));
      assert.ok(!printed.includes(token));
      const shown = await azure.acr('task', 'show-run', ...inLocal, '--run-id', told);
      assert.deepEqual(pick(shown, 'runType', 'sourceTrigger.commitId', 'sourceTrigger.branchName'), ['AutoRun', head, 'main']);
    } finally {
      await closed.stop();
    }
  });

  /** Sends what the hook of a plain git server sends; the run that it makes. */
  async function tell(task: string, event: object): Promise<string> {
    const hook = (await world().call('GET', `/berth/v1/tasks/${task}/hooks/defaultSourceTriggerName`)).json as {
      readonly url: string;
      readonly secret: string;
    };
    const body = JSON.stringify(event);
    const signature = createHmac('sha256', hook.secret).update(body).digest('hex');
    using client = world().client;
    const answer = await client.request('POST', hook.url, {
      authorization: 'none',
      body,
      headers: { 'content-type': 'application/json', 'x-berth-signature': `sha256=${signature}` },
    });
    assert.equal(answer.status, 202, answer.body.toString());
    return (JSON.parse(answer.body.toString()) as { readonly run: string }).run;
  }

  test('a timer is added, is due next within its minute, and is taken away', async () => {
    const here = world();
    const task = [...inLocal, '--name', 'words'];
    const timer = [...task, '--timer-name', 'often'];
    await azure.acr('task', 'timer', 'add', ...timer, '--schedule', '* * * * *');
    const shown = await azure.acr('task', 'show', ...task);
    assert.deepEqual(pick(shown, 'trigger.timerTriggers.0.schedule', 'trigger.timerTriggers.0.status'), ['* * * * *', 'Enabled']);
    const decisions = (await here.call('GET', '/berth/v1/tasks/words/decisions')).json;
    const [nextAt] = pick(decisions, 'timers.0.nextAt');
    const due = Date.parse(String(nextAt)) - Date.now();
    assert.ok(due > -5000 && due <= 60_000, `due in ${due} ms`);
    assert.equal(new Date(String(nextAt)).getUTCSeconds(), 0);
    await azure.acr('task', 'timer', 'remove', ...timer);
    assert.deepEqual(pick((await here.call('GET', '/berth/v1/tasks/words/decisions')).json, 'timers.length'), [0]);
  });

  test('images of another registry are pulled with the login that the task was given', async () => {
    const here = world();
    const other = await startOther();
    try {
      const image = `${other.host}/private/tools:v1`;
      const login = ['--username', other.username, '--password-stdin'];
      await here.engine.docker(['login', other.host, ...login], { input: other.password });
      await here.engine.docker(['tag', `${here.host}/base/tools:v1`, image]);
      await here.engine.docker(['push', image]);
      await here.engine.docker(['image', 'rm', image]);
      await here.engine.docker(['logout', other.host]);
      const task = [...inLocal, '--name', 'foreign'];
      await azure.acr('task', 'create', ...task, '--context', '/dev/null', '--cmd', `${image} echo from elsewhere`);
      await assert.rejects(azure.acrText('task', 'run', ...task), /Run failed/);
      const credential = [...task, '--login-server', other.host, '--username', other.username, '--password', other.password];
      await azure.acr('task', 'credential', 'add', ...credential);
      const printed = await azure.acrText('task', 'run', ...task);
      assert.match(printed, /from elsewhere/);
      assert.ok(!printed.includes(other.password));
      assert.ok(!JSON.stringify(await azure.acr('task', 'show', ...task)).includes(other.password));
      await azure.acr('task', 'credential', 'remove', ...task, '--login-server', other.host);
      await assert.rejects(azure.acrText('task', 'run', ...task), /Run failed/);
    } finally {
      await other.stop();
    }
  });

  /** Another registry, which the engine reaches without TLS: it has a loopback address. */
  function startOther(): Promise<SpawnedRegistry> {
    const { folder, network } = world();
    return spawnRegistry({ dataDir: `${folder}/other`, port: 5001, startedBy: network.startedBy });
  }

  test('a run that goes on is cancelled', async () => {
    const here = world();
    const forever = `$Registry/base/tools:v1 sh -c 'echo it is up; while :; do sleep 1; done'`;
    const task = [...inLocal, '--name', 'forever'];
    await azure.acr('task', 'create', ...task, '--context', '/dev/null', '--cmd', forever);
    await azure.acrText('task', 'run', ...task, '--no-wait');
    const [run] = await runsOf('forever');
    const id = run?.runId ?? '';
    await here.until('its first line', async () => (await here.log(id)).find(({ text }) => text === 'it is up'));
    await azure.acr('task', 'cancel-run', ...inLocal, '--run-id', id);
    assert.match(await azure.acrText('task', 'logs', ...task), /it is up/);
    assert.equal((await here.ended(id)).status, 'Canceled');
    assert.deepEqual(pick(await runsOf('forever'), '0.status'), ['Canceled']);
    assert.deepEqual(await here.engine.labelled('berth.run'), []);
  });

  test('a run that is a resource executes, and is shown with its result', async () => {
    const here = world();
    const { subscriptionId } = await readOwner(`${here.folder}/data`);
    const registry = `/subscriptions/${subscriptionId}/resourceGroups/berth/providers/Microsoft.ContainerRegistry/registries/local`;
    const content = 'version: v1.1.0\nsteps:\n  - cmd: $Registry/base/tools:v1 echo as a resource {{.Run.ID}}\n';
    const runRequest = {
      type: 'EncodedTaskRunRequest',
      encodedTaskContent: Buffer.from(content).toString('base64'),
      platform: { os: 'Linux' },
    };
    const url = `${here.url}${registry}/taskRuns/azrun?api-version=2019-06-01-preview`;
    const body = JSON.stringify({ properties: { runRequest } });
    await azure.az('rest', '--method', 'put', '--url', url, '--body', body, '--resource', `${here.url}/`);
    const taskRun = [...inLocal, '--name', 'azrun'];
    assert.match(await azure.acrText('taskrun', 'logs', ...taskRun), /as a resource \w+/);
    assert.deepEqual(pick(await azure.acr('taskrun', 'show', ...taskRun), 'provisioningState', 'runResult.status'), [
      'Succeeded',
      'Succeeded',
    ]);
  });
});
