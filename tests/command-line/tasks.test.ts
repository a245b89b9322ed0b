import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';
import { type StartedRegistry, startRegistry } from '@berth/testkit';
import { type HandAgent, handAgentOf } from './hand-agent.ts';
import { type BerthRun, runBerth, succeeded } from './run-berth.ts';
import { startBerth } from './start-berth.ts';

let server: StartedRegistry;
let agent: HandAgent;

before(async () => {
  server = await startRegistry();
  agent = await handAgentOf(server);
});
after(() => server.stop());

const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', server.dataDir, ...args]);
const context = 'https://github.com/team/app.git#main:src';

interface Shown {
  readonly properties: {
    readonly [name: string]: unknown;
    readonly step: Readonly<Record<string, unknown>>;
    readonly trigger: Readonly<Record<string, unknown>>;
  };
}

async function shown(name: string): Promise<Shown['properties']> {
  return (JSON.parse(succeeded(await berth('--json', 'task', 'show', name))) as Shown).properties;
}

async function newFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-task-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'file');
  await writeFile(path, text);
  return path;
}

test('a task of a Dockerfile is made from options, with its triggers and its secrets', async (t) => {
  const token = await newFile(t, 'hidden-token\n');
  const args = [
    '--image',
    'app:{{.Run.ID}}',
    '--arg',
    'A=1',
    '--secret-arg',
    'PASS',
    '--target',
    'last',
    '--platform',
    'linux/arm64',
  ];
  const schedules = ['--schedule', 'nightly:0 2 * * *', '--schedule', '30 4 * * Sun', '--time-zone', 'Europe/Berlin'];
  const source = [
    '--git-access-token-file',
    token,
    '--pull-request-trigger-enabled',
    'true',
    '--path',
    'src/**',
    '--branch',
    'release/*',
  ];
  const made = await runBerth(
    ['--data', server.dataDir, 'task', 'create', 'build-app', '--context', context, ...args, ...schedules, ...source],
    { env: { PASS: 'hidden-value' } },
  );
  assert.equal(succeeded(made), 'The task build-app is kept. Run it now: berth task run build-app\n');
  const { status, platform, step, trigger } = await shown('build-app');
  assert.deepEqual([status, platform], ['Enabled', { os: 'Linux', architecture: 'arm64' }]);
  const { type, imageNames, isPushEnabled, dockerFilePath, target, contextPath } = step;
  assert.deepEqual(
    { type, imageNames, isPushEnabled, dockerFilePath, target, contextPath },
    {
      type: 'Docker',
      imageNames: ['app:{{.Run.ID}}'],
      isPushEnabled: true,
      dockerFilePath: 'Dockerfile',
      target: 'last',
      contextPath: context,
    },
  );
  assert.deepEqual(step['arguments'], [
    { name: 'A', value: '1', isSecret: false },
    { name: 'PASS', isSecret: true },
  ]);
  assert.deepEqual(trigger['timerTriggers'], [
    { name: 'nightly', schedule: '0 2 * * *', status: 'Enabled', timeZone: 'Europe/Berlin' },
    { name: 't2', schedule: '30 4 * * Sun', status: 'Enabled', timeZone: 'Europe/Berlin' },
  ]);
  const [watched] = trigger['sourceTriggers'] as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual(watched, {
    name: 'defaultSourceTriggerName',
    status: 'Enabled',
    sourceTriggerEvents: ['commit', 'pullrequest'],
    sourceRepository: {
      sourceControlType: 'Github',
      repositoryUrl: 'https://github.com/team/app.git',
      branch: 'release/*',
      sourceControlAuthProperties: { tokenType: 'PAT' },
    },
    paths: ['src/**'],
  });
  assert.deepEqual(trigger['baseImageTrigger'], {
    name: 'defaultBaseimageTriggerName',
    baseImageTriggerType: 'Runtime',
    status: 'Enabled',
  });
  assert.match(succeeded(await berth('task', 'list')), /\nbuild-app +Enabled +Docker +https:\S+ +timer source base-image\n/);
});

test('an update changes what is said, and keeps the rest, secrets too', async () => {
  const env = { PASS: 'hidden-value', BERTH_GIT_TOKEN: '' };
  const create = [
    'task',
    'create',
    'change-me',
    '--context',
    '/dev/null',
    '--cmd',
    'image {{.Values.a}}',
    '--set',
    'a=1',
    '--set-secret',
    'PASS',
  ];
  succeeded(await runBerth(['--data', server.dataDir, ...create], { env }));
  assert.equal(
    succeeded(await berth('task', 'update', 'change-me', '--status', 'disabled', '--timeout', '1200')),
    'The task change-me is changed.\n',
  );
  const { status, timeout, step } = await shown('change-me');
  assert.deepEqual([status, timeout, step['type']], ['Disabled', 1200, 'EncodedTask']);
  assert.deepEqual(step['values'], [
    { name: 'a', value: '1', isSecret: false },
    { name: 'PASS', isSecret: true },
  ]);
  succeeded(await berth('task', 'update', 'change-me', '--status', 'Enabled', '--base-image-trigger-enabled', 'false'));
  const { trigger } = await shown('change-me');
  assert.equal((trigger['baseImageTrigger'] as { readonly status: string }).status, 'Disabled');
  const { code, stderr } = await berth('task', 'update', 'change-me');
  assert.deepEqual([code, stderr.split('\n')[0]], [1, 'berth: it is not said what to change.']);
});

test('a task comes from a file as show prints it', async (t) => {
  succeeded(await berth('task', 'create', 'first-one', '--cmd', 'image one'));
  const input = succeeded(await berth('task', 'show', 'first-one'));
  const args = ['--data', server.dataDir, 'task', 'create', 'second-one', '--from', '-'];
  succeeded(await startBerth(t, args, { input }).ended());
  assert.deepEqual((await shown('second-one')).step, (await shown('first-one')).step);
  assert.equal(succeeded(await berth('task', 'delete', 'second-one')), 'The task second-one is deleted; its runs stay.\n');
});

test('run queues it with other values and shows its log; decisions and hook tell of its triggers', async (t) => {
  succeeded(
    await berth(
      'task',
      'create',
      'run-me',
      '--cmd',
      'image {{.Values.word}}',
      '--set',
      'word=one',
      '--schedule',
      'yearly:0 0 1 1 *',
    ),
  );
  const started = startBerth(t, ['--data', server.dataDir, 'task', 'run', 'run-me', '--set', 'word=two']);
  const run = await agent.claim();
  assert.deepEqual(
    run.assignment.values.map(({ name, value }) => [name, value]),
    [['word', 'two']],
  );
  assert.equal(run.assignment.run.taskName, 'run-me');
  await run.report(['hello'], {}, 'acb_step_0');
  await run.end('Failed');
  const { code, stdout } = await started.ended();
  assert.equal(code, 1, stdout);
  assert.match(stdout, /\[acb_step_0\] hello\n/);
  assert.match(succeeded(await berth('runs', '--task', 'run-me')), /\n\S+ +run-me +Failed +manual /);
  assert.match(
    succeeded(await berth('task', 'decisions', 'run-me')),
    /The timer yearly \(0 0 1 1 \*\) comes next at \d{4}-01-01T00:00:00Z\.\n/,
  );
});

test('secrets are set from the standard input, and only their names are shown', async (t) => {
  const args = ['--data', server.dataDir, 'secrets', 'set', 'api-key'];
  const set = await startBerth(t, args, { input: 'hidden-value\n' }).ended();
  assert.equal(succeeded(set), 'The secret api-key is kept; task files name it https://berth/secrets/api-key.\n');
  assert.match(succeeded(await berth('secrets', 'list')), /^secret +set\napi-key +\d{4}-[^\n]+Z\n$/);
  const file = await newFile(t, 'other');
  succeeded(await berth('secrets', 'set', 'api-key', '--file', file));
  assert.equal((await startBerth(t, args, { input: '' }).ended()).code, 1);
  assert.equal(succeeded(await berth('secrets', 'delete', 'api-key')), 'The secret api-key is deleted.\n');
});

test('agents and the keys of agents are listed, made and deleted', async () => {
  const told = succeeded(await berth('agent-keys', 'create', 'builders', '--agent-pool', 'pool-a'));
  const [, id = '', key = ''] =
    /^The key builders \((\S+)\) is (\S+)\nIt is shown only this once\. /.exec(told) ?? assert.fail(told);
  assert.ok(told.includes(`BERTH_SERVER=${server.url} BERTH_AGENT_KEY=${key} berth agent\n`));
  assert.match(succeeded(await berth('agent-keys', 'list')), new RegExp(`\n${id} +builders +pool-a +`));
  assert.match(succeeded(await berth('agent-keys', 'delete', id)), /is deleted: agents that used it can do nothing more/);
  assert.ok(!succeeded(await berth('agent-keys', 'list')).includes(id));
  assert.match(succeeded(await berth('agents')), /\nby-hand +online +docker 20\.10 +Linux amd64 +0\/8\n/);
});

test('agent --help is that of the agent', async () => {
  assert.match(succeeded(await berth('agent', '--help')), /--engine auto\|docker\|podman\|buildah/);
});
