import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readOwner } from '@berth/testkit';
import { azureSession, pick, signInAsOwner } from './azure-session.ts';
import { clientSuite } from './client-suite.ts';
import { type PlayedEnd, type PlayedRun, type StartedAgent, startPlayedAgent } from './played-agent.ts';

/** The Azure CLI, unmodified: builds, runs, tasks and what belongs to them. */
clientSuite(
  'azure-cli',
  ['az', 'tar'],
  (session) => {
    const azure = azureSession(session);
    const { az, acr, acrText } = azure;
    const inLocal = ['--registry', 'local'];
    let agent: StartedAgent;

    before(async () => {
      await signInAsOwner(azure, session);
      agent = await startPlayedAgent(session.target, play);
      await writeContext();
    });
    after(() => agent[Symbol.asyncDispose]());

    async function writeContext(): Promise<void> {
      const folder = join(session.folder, 'context', 'a folder');
      await mkdir(folder, { recursive: true });
      await writeFile(join(session.folder, 'context', 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
      await writeFile(join(session.folder, 'context', 'broken'), 'FROM scratch\nCOPY missing /\n');
      await writeFile(join(session.folder, 'context', '.dockerignore'), 'secret.txt\n');
      await writeFile(join(session.folder, 'context', 'secret.txt'), 'not for the builder');
      await writeFile(join(folder, 'page.html'), '<p>');
      await writeFile(join(session.folder, 'context', 'values.yaml'), 'color: red\n');
      await writeFile(join(session.folder, 'context', 'acb.yaml'), 'version: v1.1.0\nsteps:\n  - cmd: tool {{.Values.color}}\n');
    }

    const lastRun = (): PlayedRun => agent.runs.at(-1) ?? assert.fail('there was no run');

    async function filesOf({ archive }: PlayedRun): Promise<readonly string[]> {
      const { stdout } = await session.run('tar', ['tzf', '-'], { input: archive ?? '' });
      return stdout.trim().split('\n').toSorted();
    }

    test('builds a folder: what it packs, what it asks for, and the log of the build', async () => {
      const printed = await acrText(
        'build',
        ...inLocal,
        '--image',
        'team/app:{{.Run.ID}}',
        '--build-arg',
        'COLOR=red',
        '--secret-build-arg',
        'TOKEN=hidden',
        '--target',
        'last',
        'context',
      );
      assert.match(printed, /first line\r?\nÜnïcode ✓\r?\nlast line/);
      const { assignment } = lastRun();
      assert.ok(assignment.work.kind === 'build');
      const { dockerfile = '', images, isPushed, target, arguments: values } = assignment.work;
      assert.match(dockerfile, /^[0-9a-f]{32}_Dockerfile$/);
      assert.deepEqual([images, isPushed, target], [['team/app:{{.Run.ID}}'], true, 'last']);
      assert.deepEqual(values, [
        { name: 'COLOR', value: 'red', isSecret: false },
        { name: 'TOKEN', value: 'hidden', isSecret: true },
      ]);
      const files = await filesOf(lastRun());
      assert.ok(files.includes('a folder/page.html') && files.includes(dockerfile));
      assert.ok(!files.includes('secret.txt'), files.join(', '));
    });

    test('builds without a push and without waiting, and shows, archives and lists runs', async () => {
      assert.equal(await acr('build', ...inLocal, '--no-push', '--no-wait', '--image', 'a:b', 'context'), undefined);
      const [newest] = (await acr('task', 'list-runs', ...inLocal, '--top', '1')) as readonly { readonly runId: string }[];
      assert.ok(newest !== undefined);
      const ofRun = [...inLocal, '--run-id', newest.runId];
      assert.match(await acrText('task', 'logs', ...ofRun), /last line/);
      assert.deepEqual(pick(await acr('task', 'show-run', ...ofRun), 'status', 'runType', 'platform.os', 'isArchiveEnabled'), [
        'Succeeded',
        'QuickBuild',
        'Linux',
        false,
      ]);
      assert.deepEqual(pick(await acr('task', 'update-run', ...ofRun, '--no-archive', 'false'), 'isArchiveEnabled'), [true]);
      const listed = (await acr('task', 'list-runs', ...inLocal, '--run-status', 'Succeeded')) as readonly unknown[];
      assert.equal(listed.length, 2);
      assert.deepEqual(await acr('task', 'list-runs', ...inLocal, '--run-status', 'Failed'), []);
    });

    test('ends with an error when a build failed, after its log', async () => {
      await assert.rejects(
        acrText('build', ...inLocal, '--image', 'a:b', '--file', 'context/broken', 'context'),
        (error: Error) => {
          assert.match(error.message, /ended with exit code 1/);
          assert.match(error.message, /last line[^]*Run failed/);
          return true;
        },
      );
    });

    test('runs commands, task files of a folder, and task files that come with the request', async () => {
      assert.match(await acrText('run', ...inLocal, '--cmd', 'tool --version', '/dev/null'), /first line/);
      const inline = lastRun().assignment;
      assert.ok(inline.work.kind === 'inline' && inline.source === null);
      assert.match(inline.work.content, /cmd: tool --version/);

      const values = ['--set', 'size=large', '--set-secret', 'key=hidden', '--values', 'values.yaml'];
      assert.match(await acrText('run', ...inLocal, ...values, 'context'), /first line/);
      const { assignment } = lastRun();
      assert.deepEqual(assignment.work, { kind: 'file', path: 'acb.yaml', valuesPath: 'values.yaml' });
      assert.deepEqual(assignment.values, [
        { name: 'size', value: 'large', isSecret: false },
        { name: 'key', value: 'hidden', isSecret: true },
      ]);
      assert.ok((await filesOf(lastRun())).includes('acb.yaml'));

      assert.match(await acrText('run', ...inLocal, '--file', 'context/acb.yaml', '/dev/null'), /first line/);
      assert.equal(lastRun().assignment.work.kind, 'inline');
      await assert.rejects(acrText('run', ...inLocal, '--file', 'context/values.yaml', '/dev/null'), /steps/);
    });

    const task = [...inLocal, '--name', 'nightly'];

    test('makes, shows, lists, changes and runs a task', async () => {
      const made = await acr(
        'task',
        'create',
        ...task,
        '--context',
        '/dev/null',
        '--cmd',
        'tool {{.Values.color}}',
        '--set',
        'color=red',
        '--set-secret',
        'key=hidden',
        '--schedule',
        'early:0 3 * * *',
      );
      assert.deepEqual(pick(made, 'name', 'status', 'step.type', 'trigger.timerTriggers.0.name', 'provisioningState'), [
        'nightly',
        'Enabled',
        'EncodedTask',
        'early',
        'Succeeded',
      ]);
      const shown = await acr('task', 'show', ...task);
      assert.deepEqual(pick(shown, 'id', 'timeout', 'step.values.0.value', 'step.values.1.value'), [
        ...pick(made, 'id'),
        3600,
        'red',
        null,
      ]);
      assert.deepEqual(pick(await acr('task', 'show', ...task, '--with-secure-properties'), 'step.values.1.value'), ['hidden']);
      assert.deepEqual(
        ((await acr('task', 'list', ...inLocal)) as readonly { readonly name: string }[]).map(({ name }) => name),
        ['nightly'],
      );
      assert.match(await acrText('task', 'run', ...task, '--set', 'color=blue'), /last line/);
      assert.deepEqual(Object.fromEntries(lastRun().assignment.values.map(({ name, value }) => [name, value])), {
        color: 'blue',
        key: 'hidden',
      });
      assert.match(await acrText('task', 'logs', ...task), /last line/);
      assert.equal(((await acr('task', 'list-runs', ...task)) as unknown[]).length, 1);
      assert.deepEqual(pick(await acr('task', 'update', ...task, '--cmd', 'tool', '--status', 'Disabled'), 'status'), [
        'Disabled',
      ]);
      assert.deepEqual(pick(await acr('task', 'update', ...task, '--status', 'Enabled'), 'status'), ['Enabled']);
    });

    test('gives a task timers and takes them away', async () => {
      const timer = [...task, '--timer-name', 'late'];
      await acr('task', 'timer', 'add', ...timer, '--schedule', '0 23 * * *');
      const changed = await acr('task', 'timer', 'update', ...timer, '--schedule', '30 23 * * *', '--enabled', 'false');
      assert.deepEqual(pick(changed, 'trigger.timerTriggers.length'), [2]);
      assert.deepEqual(await acr('task', 'timer', 'list', ...task), [
        { name: 'early', schedule: '0 3 * * *', status: 'Enabled' },
        { name: 'late', schedule: '30 23 * * *', status: 'Disabled' },
      ]);
      await acr('task', 'timer', 'remove', ...timer);
      assert.deepEqual(pick(await acr('task', 'timer', 'list', ...task), 'length', '0.name'), [1, 'early']);
      assert.deepEqual(pick(await acr('task', 'show', ...task, '--with-secure-properties'), 'step.values.1.value'), ['hidden']);
      await assert.rejects(acr('task', 'timer', 'add', ...timer, '--schedule', 'whenever'), /whenever|schedule/);
    });

    test('gives a task passwords of other registries and takes them away', async () => {
      const login = [...task, '--login-server', 'other.example'];
      await acr('task', 'credential', 'add', ...login, '--username', 'somebody', '--password', 'secret1');
      const listed = await acr('task', 'credential', 'list', ...task);
      assert.deepEqual(Object.keys(listed as object), ['other.example']);
      await acr('task', 'credential', 'update', ...login, '--username', 'somebody', '--password', 'secret2');
      await acr('task', 'run', ...task, '--no-wait');
      await acr('task', 'credential', 'remove', ...login);
      assert.deepEqual((await acr('task', 'credential', 'list', ...task)) ?? {}, {});
      await acr('task', 'delete', ...task, '--yes');
      await assert.rejects(acr('task', 'show', ...task), /not found/);
    });

    test('makes and shows a pool, counts what waits in it, and cancels that', async () => {
      const pool = [...inLocal, '--name', 'nobody'];
      const made = await acr('agentpool', 'create', ...pool, '--tier', 'S2', '--count', '2');
      assert.deepEqual(pick(made, 'name', 'tier', 'count', 'os', 'provisioningState'), ['nobody', 'S2', 2, 'Linux', 'Succeeded']);
      assert.deepEqual(pick(await acr('agentpool', 'update', ...pool, '--count', '3'), 'count'), [3]);
      assert.deepEqual(pick(await acr('agentpool', 'list', ...inLocal), 'length', '0.count'), [1, 3]);
      await acrText('run', ...inLocal, '--no-wait', '--agent-pool', 'nobody', '--cmd', 'tool', '/dev/null');
      assert.deepEqual(pick(await acr('agentpool', 'show', ...pool, '--queue-count'), 'count'), [1]);
      const [waiting] = (await acr('task', 'list-runs', ...inLocal, '--run-status', 'Queued')) as readonly {
        readonly runId: string;
      }[];
      const ofRun = [...inLocal, '--run-id', waiting?.runId ?? ''];
      await acr('task', 'cancel-run', ...ofRun);
      assert.deepEqual(pick(await acr('task', 'show-run', ...ofRun), 'status', 'agentPoolName'), ['Canceled', 'nobody']);
      await acrText('task', 'logs', ...ofRun);
      assert.deepEqual(pick(await acr('agentpool', 'show', ...pool, '--queue-count'), 'count'), [0]);
      await acr('agentpool', 'delete', ...pool, '--yes');
      assert.deepEqual(await acr('agentpool', 'list', ...inLocal), []);
    });

    test('shows, lists and deletes a run that is a resource, and its log', async () => {
      const { target } = session;
      assert.ok(target.dataDir !== undefined);
      const owner = await readOwner(target.dataDir);
      const path = `/subscriptions/${owner.subscriptionId}/resourceGroups/berth/providers/Microsoft.ContainerRegistry/registries/local/taskRuns/azrun`;
      const runRequest = {
        type: 'EncodedTaskRunRequest',
        encodedTaskContent: Buffer.from('version: v1.1.0\nsteps:\n  - cmd: tool\n').toString('base64'),
        platform: { os: 'Linux' },
      };
      const body = JSON.stringify({ properties: { runRequest } });
      const url = `https://localhost:${new URL(target.origin).port}${path}?api-version=2019-06-01-preview`;
      await az(
        'rest',
        '--method',
        'put',
        '--url',
        url,
        '--body',
        body,
        '--resource',
        `https://localhost:${new URL(target.origin).port}/`,
      );
      const taskRun = [...inLocal, '--name', 'azrun'];
      assert.match(await acrText('taskrun', 'logs', ...taskRun), /last line/);
      assert.deepEqual(pick(await acr('taskrun', 'show', ...taskRun), 'name', 'provisioningState', 'runResult.status'), [
        'azrun',
        'Succeeded',
        'Succeeded',
      ]);
      assert.deepEqual(pick(await acr('taskrun', 'list', ...inLocal), 'length'), [1]);
      await acr('taskrun', 'delete', ...taskRun, '--yes');
      assert.deepEqual(await acr('taskrun', 'list', ...inLocal), []);
    });

    test('uploads large folders in blocks', async () => {
      await mkdir(join(session.folder, 'large'));
      await writeFile(join(session.folder, 'large', 'Dockerfile'), 'FROM scratch\nCOPY noise /\n');
      await writeFile(join(session.folder, 'large', 'noise'), randomBytes(66 * 2 ** 20));
      assert.match(await acrText('build', ...inLocal, '--no-push', 'large'), /last line/);
      const files = await filesOf(lastRun());
      assert.ok(files.includes('noise') && (lastRun().archive?.length ?? 0) > 64 * 2 ** 20);
    });
  },
  ['tls'],
);

/** Builds of a Dockerfile called `broken` fail. */
function play({ assignment: { work } }: PlayedRun): PlayedEnd {
  const isBroken = work.kind === 'build' && (work.dockerfile ?? '').endsWith('broken');
  return { lines: ['first line', 'Ünïcode ✓', 'last line'], outcome: isBroken ? 'Failed' : 'Succeeded' };
}
