import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { type AzureSession, pick } from '../clients/azure-session.ts';
import { findProgram } from '../clients/client-program.ts';
import { openAzure } from './azure-world.ts';
import { emulationPrograms, enableArm64 } from './emulation.ts';
import { taskSuite } from './task-suite.ts';

const inLocal = ['--registry', 'local'];

/** Builds and runs of the Azure CLI, unmodified: what is executed, and what its user sees of it. */
taskSuite('azure-cli', { programs: ['az', ...emulationPrograms], settings: { tls: 'auto' } }, (world) => {
  let azure: AzureSession;
  before(async () => {
    await enableArm64();
    azure = await openAzure(world());
    await world().pushTools('base/tools:v1', []);
    await world().startAgent();
  });

  interface Listed {
    readonly runId: string;
    readonly status: string;
  }
  const newestRun = async (): Promise<Listed> => {
    const [newest] = (await azure.acr('task', 'list-runs', ...inLocal, '--top', '1')) as readonly Listed[];
    return newest ?? assert.fail('there is no run');
  };
  /** What a container of the image prints, pulled anew. */
  const outputOf = async (image: string, ...args: readonly string[]): Promise<string> => {
    const { engine, host } = world();
    await engine.docker(['pull', '--quiet', ...args, `${host}/${image}`]);
    return (await engine.docker(['run', '--rm', ...args, `${host}/${image}`])).stdout;
  };

  test('a folder becomes an image that is pulled again, and its log is shown', async () => {
    const here = world();
    const lines = [
      `FROM ${here.host}/base/tools:v1`,
      'ARG COLOR',
      'COPY . /files',
      'RUN --mount=type=secret,id=TOKEN wc -c < /run/secrets/TOKEN > /length && echo "building ✓ $COLOR"',
      'CMD ["sh", "-c", "cd /files && find . | sort && cat /length"]',
    ];
    await here.write('context', {
      Dockerfile: `${lines.join('\n')}\n`,
      '.dockerignore': '*.log\n',
      'drop.log': '',
      'a folder/page ü.html': '<p>',
    });
    const args = ['--image', 'az/app:{{.Run.ID}}', '--image', 'az/app:latest', '--build-arg', 'COLOR=red'];
    const printed = await azure.acrText('build', ...inLocal, ...args, '--secret-build-arg', 'TOKEN=hidden words', 'context');
    assert.match(printed, /building ✓ red/);
    assert.ok(!printed.includes('hidden words'));
    const { runId } = await newestRun();
    assert.match(printed, new RegExp(runId));
    assert.equal(await here.digest('az/app', runId), await here.digest('az/app', 'latest'));
    const files = ['.', './.dockerignore', './Dockerfile', './a folder', './a folder/page ü.html'];
    const [length, ...found] = (await outputOf(`az/app:${runId}`)).trim().split('\n').toReversed();
    assert.equal(length, String('hidden words'.length));
    // az puts the Dockerfile in once more, with a name of its own.
    assert.deepEqual(
      found.toReversed().filter((file) => !/^\.\/[0-9a-f]{32}_Dockerfile$/.test(file)),
      files,
    );
    const shown = await azure.acr('task', 'show-run', ...inLocal, '--run-id', runId);
    assert.deepEqual(pick(shown, 'status', 'outputImages.0.repository', 'outputImages.1.tag'), ['Succeeded', 'az/app', 'latest']);
    assert.deepEqual(pick(shown, 'outputImages.0.digest'), [await here.digest('az/app', 'latest')]);
  });

  test('a build that fails ends with exit code 1 after its log, and pushes nothing', async () => {
    const here = world();
    await here.write('failing', { Dockerfile: `FROM ${here.host}/base/tools:v1\nRUN echo "so far" && exit 7\n` });
    await assert.rejects(azure.acrText('build', ...inLocal, '--image', 'az/failing:v1', 'failing'), (error: Error) => {
      assert.match(error.message, /ended with exit code 1/);
      assert.match(error.message, /so far[^]*Run failed/);
      return true;
    });
    assert.equal((await newestRun()).status, 'Failed');
    assert.equal(await here.digest('az/failing', 'v1'), 'undefined');
  });

  test('an image for arm64 is built through emulation', async () => {
    const here = world();
    const lines = [
      'FROM scratch',
      'COPY --chmod=755 busybox /bin/busybox',
      'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox uname -m > /machine"]',
      'CMD ["/bin/busybox", "cat", "/machine"]\n',
    ];
    const busybox = await readFile(findProgram('busybox-arm64') ?? 'busybox-arm64');
    await here.write('arm', { Dockerfile: lines.join('\n'), busybox });
    await azure.acrText('build', ...inLocal, '--image', 'az/arm:v1', '--platform', 'linux/arm64', 'arm');
    assert.equal(await outputOf('az/arm:v1', '--platform', 'linux/arm64'), 'aarch64\n');
    const { runId } = await newestRun();
    const shown = await azure.acr('task', 'show-run', ...inLocal, '--run-id', runId);
    assert.deepEqual(pick(shown, 'platform.os', 'platform.architecture'), ['Linux', 'arm64']);
  });

  test('a command runs in its container; its exit code fails the run', async () => {
    const echo = '$Registry/base/tools:v1 echo hello {{.Run.OS}}';
    assert.match(await azure.acrText('run', ...inLocal, '--cmd', echo, '/dev/null'), /^hello linux\r?$/m);
    const failing = `$Registry/base/tools:v1 sh -c 'echo bad >&2; exit 4'`;
    await assert.rejects(azure.acrText('run', ...inLocal, '--cmd', failing, '/dev/null'), /bad[^]*Run failed/);
  });

  test('the steps of a task file build, run what was built beside one another, and push', async () => {
    const here = world();
    await here.write('steps', {
      'acb.yaml': [
        'version: v1.1.0',
        'steps:',
        '  - id: page',
        `    build: -t $Registry/az/page:{{.Values.tag}} --build-arg BASE=$Registry/base/tools:v1 -f web/Dockerfile web`,
        '  - id: web',
        '    cmd: $Registry/az/page:{{.Values.tag}}',
        '    detach: true',
        '  - id: look',
        '    cmd: $Registry/base/tools:v1 wget -q -O - http://web:8080/',
        '    retries: 5',
        '    retryDelay: 1',
        '  - push: ["$Registry/az/page:{{.Values.tag}}"]',
        '',
      ].join('\n'),
      'web/Dockerfile': 'ARG BASE\nFROM ${BASE}\nCOPY index.html /www/\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n',
      'web/index.html': '<h1>It works</h1>\n',
    });
    assert.match(await azure.acrText('run', ...inLocal, '--set', 'tag=v7', 'steps'), /<h1>It works<\/h1>/);
    assert.match(await here.digest('az/page', 'v7'), /^sha256:/);
    const { runId } = await newestRun();
    assert.deepEqual(
      (await here.run(runId)).steps.map(({ id, state }) => [id, state]),
      ['page', 'web', 'look', 'acb_step_3'].map((id) => [id, 'succeeded']),
    );
  });

  test('a run is seen while it goes on, is cancelled, and leaves nothing', async () => {
    const up = Promise.withResolvers<void>();
    const forever = `$Registry/base/tools:v1 sh -c 'echo it is up; while :; do sleep 1; done'`;
    const watched = azure.acrWatched(
      (text) => {
        if (text.includes('it is up')) up.resolve();
      },
      'run',
      ...inLocal,
      '--cmd',
      forever,
      '/dev/null',
    );
    const refused = assert.rejects(watched, /it is up[^]*Run was canceled/);
    await Promise.race([up.promise, watched]);
    const { runId, status } = await newestRun();
    assert.equal(status, 'Running');
    await azure.acr('task', 'cancel-run', ...inLocal, '--run-id', runId);
    await refused;
    const shown = await azure.acr('task', 'show-run', ...inLocal, '--run-id', runId);
    assert.deepEqual(pick(shown, 'status'), ['Canceled']);
    assert.deepEqual(await world().engine.labelled('berth.run'), []);
  });

  test('runs of a pool wait for an agent of it, say so, and are taken by that alone', async () => {
    const here = world();
    const pool = [...inLocal, '--name', 'fast'];
    assert.deepEqual(pick(await azure.acr('agentpool', 'create', ...pool, '--tier', 'S1'), 'provisioningState'), ['Succeeded']);
    const echo = ['--cmd', '$Registry/base/tools:v1 echo in the pool', '/dev/null'];
    const told = Promise.withResolvers<void>();
    const tell = (text: string): void => {
      if (text.includes('Waiting for an agent')) told.resolve();
    };
    const watched = azure.acrWatched(tell, 'run', ...inLocal, '--agent-pool', 'fast', ...echo);
    await Promise.race([told.promise, watched]);
    const { runId, status } = await newestRun();
    assert.equal(status, 'Queued');
    assert.deepEqual(pick(await azure.acr('agentpool', 'show', ...pool, '--queue-count'), 'count'), [1]);
    const agent = await here.startAgent({ name: 'of-the-pool', agentPool: 'fast' });
    const log = /Waiting for an agent for linux\/amd64: no agent of the pool fast has asked[^]*in the pool/;
    assert.match(await watched, log);
    assert.match(await azure.acrText('task', 'logs', ...inLocal, '--run-id', runId), log);
    const run = await here.ended(runId);
    assert.deepEqual([run.status, run.agentPool, run.agent], ['Succeeded', 'fast', agent.name]);
    assert.deepEqual(pick(await azure.acr('agentpool', 'show', ...pool, '--queue-count'), 'count'), [0]);
    await azure.acrText('run', ...inLocal, ...echo);
    assert.notEqual((await here.run((await newestRun()).runId)).agent, agent.name);
  });
});
