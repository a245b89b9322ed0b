import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { makeImage, makeIndex, readLayout, writeLayout } from './sample-image.ts';

clientSuite('regctl', ['regctl'], (session) => {
  const regctl = (args: readonly string[], input?: string | Uint8Array): Promise<ProgramOutput> =>
    session.run('regctl', args, {
      env: { REGCTL_CONFIG: join(session.folder, 'regctl.json') },
      ...(input !== undefined && { input }),
    });
  before(async () => {
    const { authorityFile, host } = session.target;
    const tls = authorityFile === undefined ? ['--tls=disabled'] : ['--tls=enabled', `--cacert=${authorityFile}`];
    await regctl(['registry', 'set', ...tls, '--skip-check', host]);
  });

  test('signs in, and is refused with a wrong password', async () => {
    const login = ['registry', 'login', session.target.host, '--user', session.target.username, '--pass-stdin'];
    await assert.rejects(regctl(login, 'wrong'), /unauthorized|401/i);
    await regctl(login, session.target.password);
  });

  test('pushes, pulls the same bytes, lists and deletes an image', async () => {
    const image = await makeImage();
    await writeLayout(join(session.folder, 'layout'), image, 'v1');
    const name = session.image('regctl/image');
    await regctl(['image', 'copy', 'ocidir://layout:v1', name]);
    assert.equal((await regctl(['image', 'digest', name])).stdout.trim(), image.manifest.digest);
    await regctl(['image', 'copy', name, 'ocidir://pulled:v1']);
    assert.deepEqual(await readLayout(join(session.folder, 'pulled')), image.blobs);
    await regctl(['image', 'copy', name, session.image('regctl/image', 'v2')]);
    assert.deepEqual((await regctl(['tag', 'ls', `${session.target.host}/regctl/image`])).stdout.trim().split('\n'), [
      'v1',
      'v2',
    ]);
    assert.match((await regctl(['repo', 'ls', session.target.host])).stdout, /^regctl\/image$/m);
    await regctl(['tag', 'delete', session.image('regctl/image', 'v2')]);
    assert.deepEqual(await session.reader.tags('regctl/image'), ['v1']);
    await regctl(['manifest', 'delete', session.image('regctl/image', image.manifest.digest)]);
    assert.equal((await session.reader.manifest('regctl/image', 'v1')).status, 404);
  });

  test('copies a multi-architecture index with its referrers', async () => {
    const index = await makeIndex();
    await writeLayout(join(session.folder, 'index'), index, 'v1');
    const [from, to] = [session.image('regctl/index'), session.image('regctl/index-copy')];
    await regctl(['image', 'copy', 'ocidir://index:v1', from]);
    assert.deepEqual((await regctl(['manifest', 'get', '--format=raw-body', from])).bytes, index.bytes);
    await regctl(['artifact', 'put', '--artifact-type=application/vnd.berth.note', '--subject', from], 'a note');
    await regctl(['image', 'copy', '--referrers', from, to]);
    const listed = JSON.parse((await regctl(['artifact', 'list', '--format={{json .Manifest}}', to])).stdout) as {
      manifests: { artifactType: string }[];
    };
    assert.deepEqual(
      listed.manifests.map(({ artifactType }) => artifactType),
      ['application/vnd.berth.note'],
    );
    const [, arm64] = index.images;
    assert.equal((await regctl(['image', 'digest', '--platform=linux/arm64', to])).stdout.trim(), arm64?.manifest.digest);
  });

  test('sends and reads large and small blobs', async () => {
    for (const size of [0, 1, 12_000_000]) {
      const content = randomBytes(size);
      await writeFile(join(session.folder, 'blob'), content);
      const digest = (await regctl(['blob', 'put', `${session.target.host}/regctl/blobs`], content)).stdout.trim();
      assert.deepEqual((await regctl(['blob', 'get', `${session.target.host}/regctl/blobs`, digest])).bytes, content);
    }
  });
});
