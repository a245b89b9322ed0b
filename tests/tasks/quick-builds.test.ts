import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Run } from '@berth/api';
import { newIdentity } from '../management/new-identity.ts';
import { taskSuite } from './task-suite.ts';
import type { CommandResult } from './task-world.ts';

taskSuite('quick builds', {}, (world) => {
  const build = (folder: string, ...args: readonly string[]): Promise<CommandResult> =>
    world().berth(['build', '--json', ...args, folder]);
  const runOf = ({ code, stdout, stderr }: CommandResult, expected = 0): Run => {
    assert.equal(code, expected, `${stdout}\n${stderr}`);
    return JSON.parse(stdout) as Run;
  };

  before(async () => {
    await world().pushTools('base/tools:v1', []);
    await world().startAgent({ args: ['--output', '1MiB', '--processes', '256', '--disk', '200M'] });
  });

  test('a folder becomes an image: ignored files, links and spaces as docker has them', async () => {
    const here = world();
    const folder = await here.write('a folder', {
      Dockerfile: `FROM ${here.host}/base/tools:v1\nCOPY . /files\nRUN find /files | sort > /list\nCMD ["cat", "/list"]\n`,
      '.dockerignore': '# comment\n*.log\n!keep.log\nsecret folder\n',
      'keep.log': '',
      'drop.log': '',
      'secret folder/key': '',
      'with space/file name.txt': 'text',
    });
    await symlink('file name.txt', join(folder, 'with space/link'));
    const run = runOf(
      await build(folder, '--registry', 'local', '--image', 'quick/app:{{.Run.ID}}', '--image', 'quick/app:latest'),
    );
    const digest = await here.digest('quick/app', 'latest');
    assert.deepEqual(
      new Set(run.images.map((image) => `${image.repository}:${image.tag}@${image.digest}`)),
      new Set([run.id, 'latest'].map((tag) => `quick/app:${tag}@${digest}`)),
    );
    assert.deepEqual(
      run.steps.map(({ id, state, exitCode }) => [id, state, exitCode]),
      [
        ['build', 'succeeded', 0],
        ['push', 'succeeded', 0],
      ],
    );
    await here.engine.docker(['pull', '--quiet', `${here.host}/quick/app:latest`]);
    const { stdout } = await here.engine.docker(['run', '--rm', `${here.host}/quick/app:latest`]);
    const files = [
      '',
      '/.dockerignore',
      '/Dockerfile',
      '/keep.log',
      '/with space',
      '/with space/file name.txt',
      '/with space/link',
    ];
    assert.deepEqual(
      stdout.trim().split('\n'),
      files.map((file) => `/files${file}`),
    );
  });

  test('arguments, targets, secrets: the secret is there, and stays nowhere', async () => {
    const here = world();
    const lines = [
      `FROM ${here.host}/base/tools:v1 AS first`,
      'ARG GREETING',
      'RUN --mount=type=secret,id=PASSWORD echo "$GREETING" > /greeting && cat /run/secrets/PASSWORD && wc -c < /run/secrets/PASSWORD > /length',
      'FROM first AS second',
      'RUN exit 3',
    ];
    const folder = await here.write('arguments', { Dockerfile: `${lines.join('\n')}\n` });
    const secret = 'correct horse battery staple';
    const args = [
      '--image',
      'quick/secret:v1',
      '--target',
      'first',
      '--build-arg',
      'GREETING=hello  you',
      '--secret-build-arg',
      'PASSWORD',
    ];
    const result = await here.berth(['build', '--json', ...args, folder], { env: { PASSWORD: secret } });
    const run = runOf(result);
    assert.ok(!`${result.stdout}${result.stderr}`.includes(secret), 'the command line does not show it');
    assert.ok(!(await here.log(run.id)).some(({ text }) => text.includes(secret)), 'the log does not have it');
    const image = `${here.host}/quick/secret:v1`;
    await here.engine.docker(['pull', '--quiet', image]);
    assert.ok(!(await here.engine.docker(['history', '--no-trunc', image])).stdout.includes(secret), 'nor the history');
    const { stdout } = await here.engine.docker(['run', '--rm', image, 'cat', '/greeting', '/length']);
    assert.equal(stdout, `hello  you\n${secret.length}\n`);
  });

  test('who builds again finds the layers of the time before, nobody else does, and --no-cache does not', async () => {
    const here = world();
    const folder = await here.write('again', { Dockerfile: `FROM ${here.host}/base/tools:v1\nRUN echo done $((6 * 7))\n` });
    const isDone = async (result: Promise<CommandResult>): Promise<boolean> =>
      (await here.log(runOf(await result).id)).some(({ text }) => text.includes('done 42'));
    const args = ['--image', 'quick/again:v1'];
    assert.equal(await isDone(build(folder, ...args)), true);
    assert.equal(await isDone(build(folder, ...args)), false);
    assert.equal(await isDone(build(folder, ...args, '--no-cache')), true);
    using client = here.client;
    const { clientId, clientSecret } = await newIdentity({ client }, ['Contributor']);
    const env = { BERTH_USERNAME: clientId, BERTH_PASSWORD: clientSecret };
    assert.equal(await isDone(here.berth(['build', '--json', ...args, folder], { env })), true);
    assert.equal(await isDone(build(folder, ...args)), false);
  });

  test('what is not to be pushed is not, and a build that fails says where', async () => {
    const here = world();
    const folder = await here.write('failing', { Dockerfile: `FROM ${here.host}/base/tools:v1\nRUN echo before && exit 7\n` });
    const failed = runOf(await build(folder, '--image', 'quick/failing:v1'), 1);
    assert.equal(failed.status, 'Failed');
    assert.match(failed.error ?? '', /^the step build failed: exit code 1\n(?:.*\n)*.*before/);
    assert.ok((await here.log(failed.id)).some(({ step, text }) => step === 'build' && /before/.test(text)));
    assert.equal(failed.steps.find(({ id }) => id === 'push')?.state, 'skipped');
    const good = await here.write('not pushed', { Dockerfile: `FROM ${here.host}/base/tools:v1\n` });
    assert.deepEqual(runOf(await build(good, '--image', 'quick/unpushed:v1', '--no-push')).images, []);
    assert.equal(await here.digest('quick/unpushed', 'v1'), 'undefined');
  });

  test('a missing Dockerfile, an unknown base and a broken task file are told with their places', async () => {
    const here = world();
    const empty = await here.write('no dockerfile', { 'a.txt': 'a' });
    const missing = await here.berth(['build', '--image', 'quick/none:v1', empty]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /Dockerfile/);
    const base = await here.write('unknown base', { Dockerfile: `\nFROM ${here.host}/base/none:v1\n` });
    const unknown = runOf(await build(base, '--image', 'quick/none:v1'), 1);
    const said = [unknown.error, ...(await here.log(unknown.id)).map(({ text }) => text)].join('\n');
    assert.match(said, /base\/none:v1/);
    assert.match(said, /Dockerfile:2/);
    const file = await here.write('broken file', { 'task.yaml': 'version: v1.1.0\nsteps:\n  - cmd: a\n    wehn: ["-"]\n' });
    const broken = await here.berth(['run', '--file', 'task.yaml', file]);
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /4:5.*wehn.*when/s);
  });

  test('standard input, commands and values', async () => {
    const here = world();
    const file = 'version: v1.1.0\nsteps:\n  - cmd: $Registry/base/tools:v1 echo {{.Values.word}} {{.Run.TaskName}}end\n';
    const piped = await here.berth(['run', '--json', '--set', 'word=one', '-'], { input: file });
    const run = runOf(piped);
    assert.ok((await here.log(run.id)).some(({ stream, text }) => stream === 'stdout' && text === 'one end'));
    const quick = runOf(
      await here.berth(['run', '--json', '--cmd', '$Registry/base/tools:v1 sh -c "echo out; echo err >&2; exit 4"']),
      1,
    );
    assert.equal(quick.steps[0]?.exitCode, 4);
    const lines = (await here.log(quick.id))
      .filter(({ stream }) => stream !== 'agent')
      .map(({ stream, text }) => `${stream} ${text}`);
    assert.deepEqual(lines.toSorted(), ['stderr err', 'stdout out']);
  });

  test('a run is cancelled, and nothing of it is left', async () => {
    const here = world();
    const started = await here.berth([
      'run',
      '--json',
      '--no-wait',
      '--cmd',
      '$Registry/base/tools:v1 sh -c "trap : TERM; echo up; while :; do sleep 1; done"',
    ]);
    const { id } = runOf(started);
    await here.until('its first line', async () => (await here.log(id)).find(({ text }) => text === 'up'));
    assert.equal((await here.berth(['runs', 'cancel', id])).code, 0);
    const run = await here.ended(id);
    assert.equal(run.status, 'Canceled');
    assert.equal(run.steps[0]?.state, 'canceled');
    assert.deepEqual(await here.engine.labelled('berth.run'), []);
  });

  test('attack 34: control sequences do not reach the log', async () => {
    const here = world();
    const command = `$Registry/base/tools:v1 sh -c "printf 'a\\033]0;title\\007b\\033[31mred\\n'"`;
    const { id } = runOf(await here.berth(['run', '--json', '--cmd', command]));
    const texts = (await here.log(id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
    assert.deepEqual(texts, ['abred']);
  });

  test('attack 34: a fork bomb has its bounds, other runs go on, and it can be stopped', async () => {
    const here = world();
    // What waits for the cancellation must not fork: the bomb leaves no room for it, and its shell would end.
    const bomb = `$Registry/base/tools:v1 sh -c "f() { f | f & }; f 2>/dev/null; exec sleep 600"`;
    const { id } = runOf(await here.berth(['run', '--json', '--no-wait', '--cmd', bomb]));
    const container = await here.until('its container', async () => {
      const { stdout } = await here.engine.docker(['ps', '--quiet', '--filter', 'label=berth.run']);
      return stdout.trim() === '' ? undefined : stdout.trim();
    });
    const limits = await here.engine.docker([
      'inspect',
      '--format',
      '{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}}',
      container,
    ]);
    assert.match(limits.stdout, /^256 [1-9]\d*$/m);
    runOf(await here.berth(['run', '--json', '--cmd', '$Registry/base/tools:v1 echo fine']));
    assert.equal((await here.berth(['runs', 'cancel', id])).code, 0);
    const run = await here.ended(id);
    assert.equal(run.status, 'Canceled', `${run.error} ${(await here.log(id)).at(-1)?.text}`);
    assert.deepEqual(await here.engine.labelled('berth.run'), []);
  });

  test('attack 34: what fills the disk ends its run, in the layer of its container or in a volume', async () => {
    const here = world();
    const fill = (place: string): Promise<CommandResult> => {
      const command = `-v data:/data ${here.host}/base/tools:v1 sh -c "dd if=/dev/zero of=${place} bs=1M count=300; sleep 60"`;
      return here.berth(['run', '--json', '--cmd', command, '/dev/null']);
    };
    for (const result of await Promise.all(['/large', '/data/large'].map(fill)))
      assert.match(runOf(result, 1).error ?? '', /^the run takes more disk than it may/);
    assert.deepEqual(await here.engine.labelled('berth.run'), []);
  });

  test('attack 34: endless output ends its run', async () => {
    const here = world();
    const { code, stdout } = await here.berth([
      'run',
      '--json',
      '--cmd',
      '$Registry/base/tools:v1 yes "a line of a flood, long enough to count"',
    ]);
    const run = JSON.parse(stdout) as Run;
    assert.notEqual(code, 0);
    assert.match(`${run.error} ${(await here.log(run.id)).at(-1)?.text}`, /output/);
  });
});
