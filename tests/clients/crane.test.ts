import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { makeImage, makeIndex, readLayout, writeLayout } from './sample-image.ts';

// crane speaks HTTP to loopback addresses by itself; over TLS it trusts SSL_CERT_FILE.
clientSuite('crane', ['crane'], (session) => {
  const crane = (args: readonly string[], input?: string): Promise<ProgramOutput> =>
    session.run('crane', args, input === undefined ? {} : { input });

  test('signs in; a wrong password is refused at the first request', async () => {
    const login = ['auth', 'login', session.target.host, '--username', session.target.username, '--password-stdin'];
    await crane(login, 'wrong');
    await assert.rejects(crane(['catalog', session.target.host]), /unauthorized/i);
    await crane(login, session.target.password);
  });

  test('pushes, validates, pulls the same bytes, lists and deletes an image', async () => {
    const image = await makeImage();
    await writeLayout(join(session.folder, 'layout'), image, 'v1');
    const name = session.image('crane/image');
    await crane(['push', 'layout', name]);
    await crane(['validate', '--remote', name]);
    assert.equal((await crane(['digest', name])).stdout.trim(), image.manifest.digest);
    assert.deepEqual((await crane(['manifest', name])).bytes, image.manifestBytes);
    await crane(['pull', '--format=oci', name, 'pulled']);
    assert.deepEqual(await readLayout(join(session.folder, 'pulled')), image.blobs);
    await crane(['tag', name, 'v2']);
    await crane(['copy', name, session.image('crane/copied')]);
    assert.deepEqual((await crane(['ls', `${session.target.host}/crane/image`])).stdout.trim().split('\n'), ['v1', 'v2']);
    assert.match((await crane(['catalog', session.target.host])).stdout, /^crane\/copied$/m);
    await crane(['delete', session.image('crane/image', image.manifest.digest)]);
    assert.deepEqual(await session.reader.tags('crane/image'), []);
    await assert.rejects(crane(['manifest', name]), /MANIFEST_UNKNOWN|NAME_UNKNOWN|404/);
    await crane(['validate', '--remote', session.image('crane/copied')]);
  });

  test('makes, pushes and pulls a multi-architecture index', async () => {
    const { images } = await makeIndex();
    const name = session.image('crane/index');
    const parts: string[] = [];
    for (const image of images) {
      await writeLayout(join(session.folder, image.architecture), image, 'v1');
      parts.push(session.image('crane/index', image.architecture));
      await crane(['push', image.architecture, session.image('crane/index', image.architecture)]);
    }
    await crane(['index', 'append', ...parts.flatMap((part) => ['--manifest', part]), '--tag', name]);
    await crane(['validate', '--remote', name]);
    await crane(['pull', '--format=oci', name, 'index-pulled']);
    const pulled = await readLayout(join(session.folder, 'index-pulled'));
    for (const image of images) {
      for (const [digest, bytes] of image.blobs) assert.deepEqual(pulled.get(digest), bytes);
      const digest = await crane(['digest', `--platform=linux/${image.architecture}`, name]);
      assert.equal(digest.stdout.trim(), image.manifest.digest);
    }
  });

  test('adds a layer to an image and reads a file system back', async () => {
    const base = session.image('crane/copied');
    const name = session.image('crane/appended');
    await session.run('tar', ['-czf', 'extra.tgz', 'pulled/oci-layout']);
    await crane(['append', '--base', base, '--new_layer', 'extra.tgz', '--new_tag', name]);
    const exported = await crane(['export', name, '-']);
    assert.ok(exported.bytes.includes('imageLayoutVersion'));
  });
});
