import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import type { Run } from '@berth/api';
import { findProgram } from '../clients/client-program.ts';
import { emulationPrograms, enableArm64 } from './emulation.ts';
import { taskSuite } from './task-suite.ts';

interface Index {
  readonly mediaType: string;
  readonly manifests: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[];
}

taskSuite('platforms', { programs: emulationPrograms }, (world) => {
  let folder = '';
  before(async () => {
    await enableArm64();
    const program = (name: string): Promise<Buffer> => readFile(findProgram(name) ?? name);
    folder = await world().write('platforms', {
      'busybox-amd64': await program('busybox'),
      'busybox-arm64': await program('busybox-arm64'),
      Dockerfile: [
        'FROM scratch',
        'ARG TARGETARCH',
        'COPY --chmod=755 busybox-${TARGETARCH} /bin/busybox',
        'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox uname -m > /machine"]',
        'CMD ["/bin/busybox", "cat", "/machine"]\n',
      ].join('\n'),
    });
    await world().signIn();
    await world().startAgent();
  });
  const build = async (...args: readonly string[]): Promise<Run> => {
    const { code, stdout, stderr } = await world().berth(['build', '--json', ...args, folder]);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return JSON.parse(stdout) as Run;
  };
  const machineOf = async (image: string, platform: string): Promise<string> => {
    const { engine, host } = world();
    await engine.docker(['pull', '--quiet', '--platform', platform, `${host}/${image}`]);
    return (await engine.docker(['run', '--rm', '--platform', platform, `${host}/${image}`])).stdout.trim();
  };

  test('an image for arm64 is built through emulation', async () => {
    await build('--image', 'platforms/arm:v1', '--platform', 'linux/arm64');
    assert.equal(await machineOf('platforms/arm:v1', 'linux/arm64'), 'aarch64');
  });

  test('amd64 and arm64 become one index, and nothing else is left behind', async () => {
    const here = world();
    const run = await build(
      '--image',
      'platforms/both:v1',
      '--image',
      'platforms/both:latest',
      '--platform',
      'linux/amd64,linux/arm64',
    );
    using client = here.client;
    const answer = await client.request('GET', '/v2/platforms/both/manifests/v1', {
      authorization: client.basic,
      headers: { accept: 'application/vnd.oci.image.index.v1+json' },
    });
    const index = JSON.parse(answer.body.toString()) as Index;
    assert.equal(index.mediaType, 'application/vnd.oci.image.index.v1+json');
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform.architecture),
      ['amd64', 'arm64'],
    );
    const digest = await here.digest('platforms/both', 'v1');
    assert.equal(await here.digest('platforms/both', 'latest'), digest);
    assert.deepEqual(new Set(run.images.map((image) => image.digest)), new Set([digest]));
    assert.deepEqual(run.images[0]?.platforms, ['linux/amd64', 'linux/arm64']);
    assert.equal(await machineOf('platforms/both:v1', 'linux/amd64'), 'x86_64');
    assert.equal(await machineOf('platforms/both:v1', 'linux/arm64'), 'aarch64');
    const tags = await client.request('GET', '/v2/platforms/both/tags/list', { authorization: client.basic });
    assert.deepEqual((JSON.parse(tags.body.toString()) as { readonly tags: unknown }).tags, ['latest', 'v1']);
  });
});
