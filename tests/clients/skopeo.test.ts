import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import { digestOf, makeImage, makeIndex, readLayout, writeLayout } from './sample-image.ts';

clientSuite('skopeo', ['skopeo'], (session) => {
  const authfile = (): string => join(session.folder, 'auth.json');
  const trust = (prefix: string): readonly string[] => {
    if (session.target.transport === 'http') return [`--${prefix}tls-verify=false`];
    return [`--${prefix}cert-dir=${join(session.folder, 'certs')}`];
  };
  const skopeo = (...args: readonly string[]): ReturnType<typeof session.run> => session.run('skopeo', args);

  test('signs in, and is refused with a wrong password', async () => {
    await session.trustAuthority('certs');
    const login = ['login', `--authfile=${authfile()}`, ...trust(''), '--username', session.target.username, '--password-stdin'];
    await assert.rejects(
      session.run('skopeo', [...login, session.target.host], { input: 'wrong' }),
      /invalid username\/password|unauthorized|authentication required/i,
    );
    await session.run('skopeo', [...login, session.target.host], { input: session.target.password });
  });

  test('pushes, pulls the same bytes, lists and deletes an image', async () => {
    const image = await makeImage();
    await writeLayout(join(session.folder, 'image'), image, 'v1');
    const name = `docker://${session.image('skopeo/image')}`;
    await skopeo('copy', `--authfile=${authfile()}`, ...trust('dest-'), '--preserve-digests', 'oci:image:v1', name);
    const pulled = join(session.folder, 'pulled');
    await skopeo('copy', `--authfile=${authfile()}`, ...trust('src-'), '--preserve-digests', name, `oci:${pulled}:v1`);
    assert.deepEqual(await readLayout(pulled), image.blobs);
    const inspected = await skopeo('inspect', `--authfile=${authfile()}`, ...trust(''), '--raw', name);
    assert.deepEqual(inspected.bytes, image.manifestBytes);
    const listed = await skopeo(
      'list-tags',
      `--authfile=${authfile()}`,
      ...trust(''),
      `docker://${session.target.host}/skopeo/image`,
    );
    assert.deepEqual(JSON.parse(listed.stdout).Tags, ['v1']);
    await skopeo('delete', `--authfile=${authfile()}`, ...trust(''), name);
    assert.equal((await session.reader.manifest('skopeo/image', 'v1')).status, 404);
  });

  test('copies a multi-architecture index with all its images', async () => {
    const index = await makeIndex();
    await writeLayout(join(session.folder, 'index'), index, 'v1');
    const name = `docker://${session.image('skopeo/index')}`;
    await skopeo('copy', '--all', `--authfile=${authfile()}`, ...trust('dest-'), '--preserve-digests', 'oci:index:v1', name);
    const stored = await session.reader.manifest('skopeo/index', 'v1');
    assert.deepEqual(stored.bytes, index.bytes);
    const pulled = join(session.folder, 'index-pulled');
    await skopeo('copy', '--all', `--authfile=${authfile()}`, ...trust('src-'), '--preserve-digests', name, `oci:${pulled}:v1`);
    const blobs = await readLayout(pulled);
    for (const image of index.images) for (const [digest, bytes] of image.blobs) assert.deepEqual(blobs.get(digest), bytes);
    assert.equal(digestOf(index.bytes), stored.digest);
  });

  test('copies between repositories of the registry and converts to Docker schema 2', async () => {
    const image = await makeImage();
    await writeLayout(join(session.folder, 'mount'), image, 'v1');
    const [from, to] = [session.image('skopeo/from'), session.image('skopeo/to')];
    await skopeo('copy', `--authfile=${authfile()}`, ...trust('dest-'), 'oci:mount:v1', `docker://${from}`);
    const both = [`--authfile=${authfile()}`, ...trust('src-'), ...trust('dest-')];
    await skopeo('copy', ...both, `docker://${from}`, `docker://${to}`);
    assert.equal((await session.reader.manifest('skopeo/to', 'v1')).digest, image.manifest.digest);
    await skopeo('copy', ...both, '--format=v2s2', `docker://${from}`, `docker://${session.image('skopeo/to', 's2')}`);
    const converted = JSON.parse((await session.reader.manifest('skopeo/to', 's2')).bytes.toString('utf8')) as {
      mediaType: string;
    };
    assert.equal(converted.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
  });
});
