import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { digestOf, makeImage, makeIndex, readLayout, writeLayout } from './sample-image.ts';

clientSuite('oras', ['oras'], (session) => {
  const oras = (args: readonly string[], input?: string): Promise<ProgramOutput> =>
    session.run('oras', args, input === undefined ? {} : { input });
  const trust = (prefix = ''): readonly string[] => {
    const { authorityFile } = session.target;
    return authorityFile === undefined ? [`--${prefix}plain-http`] : [`--${prefix}ca-file=${authorityFile}`];
  };
  /** The fields of `--format json` that these tests read. */
  const report = (
    output: ProgramOutput,
  ): { readonly digest: string; readonly referrers?: readonly { readonly digest: string; readonly artifactType: string }[] } =>
    JSON.parse(output.stdout);

  test('signs in, and is refused with a wrong password', async () => {
    const login = ['login', ...trust(), '--username', session.target.username, '--password-stdin', session.target.host];
    await assert.rejects(oras(login, 'wrong'), /unauthorized|401|denied/i);
    await oras(login, session.target.password);
  });

  test('pushes files, pulls the same bytes, lists tags and repositories', async () => {
    const content = randomBytes(1_500_000);
    await writeFile(join(session.folder, 'artifact.bin'), content);
    const name = session.image('oras/artifact');
    await oras(['push', ...trust(), '--artifact-type=application/vnd.berth.test', name, 'artifact.bin:application/octet-stream']);
    await mkdir(join(session.folder, 'pulled'));
    await oras(['pull', ...trust(), '--output=pulled', name]);
    assert.deepEqual(await readFile(join(session.folder, 'pulled/artifact.bin')), content);
    await oras(['tag', ...trust(), name, 'v2', 'latest']);
    assert.deepEqual(
      (await oras(['repo', 'tags', ...trust(), session.target.host + '/oras/artifact'])).stdout.trim().split('\n'),
      ['latest', 'v1', 'v2'],
    );
    assert.match((await oras(['repo', 'ls', ...trust(), session.target.host])).stdout, /^oras\/artifact$/m);
    assert.deepEqual(
      (await oras(['manifest', 'fetch', ...trust(), name])).bytes,
      (await session.reader.manifest('oras/artifact', 'v1')).bytes,
    );
  });

  test('attaches, discovers and deletes referrers', async () => {
    const name = session.image('oras/subject');
    await writeFile(join(session.folder, 'subject.bin'), randomBytes(1000));
    await writeFile(join(session.folder, 'sbom.json'), '{"sbom":true}');
    await oras(['push', ...trust(), name, 'subject.bin:application/octet-stream']);
    const attach = (type: string): Promise<ProgramOutput> =>
      oras([
        'attach',
        ...trust(),
        '--format=json',
        `--artifact-type=${type}`,
        '--annotation=org.example.note=kept',
        name,
        'sbom.json:application/json',
      ]);
    const sbom = report(await attach('application/vnd.berth.sbom'));
    const signature = report(await attach('application/vnd.berth.signature'));
    const found = report(await oras(['discover', ...trust(), '--format=json', name])).referrers ?? [];
    assert.deepEqual(found.map((referrer) => referrer.digest).toSorted(), [sbom.digest, signature.digest].toSorted());
    const filtered =
      report(await oras(['discover', ...trust(), '--format=json', '--artifact-type=application/vnd.berth.sbom', name]))
        .referrers ?? [];
    assert.deepEqual(
      filtered.map((referrer) => [referrer.digest, referrer.artifactType]),
      [[sbom.digest, 'application/vnd.berth.sbom']],
    );
    await oras(['manifest', 'delete', ...trust(), '--force', session.image('oras/subject', sbom.digest)]);
    const left = report(await oras(['discover', ...trust(), '--format=json', name])).referrers ?? [];
    assert.deepEqual(
      left.map((referrer) => referrer.digest),
      [signature.digest],
    );
  });

  test('copies an image with its referrers to another repository and to a layout', async () => {
    const image = await makeImage();
    await writeLayout(join(session.folder, 'layout'), image, 'v1');
    const [from, to] = [session.image('oras/from'), session.image('oras/to')];
    await oras(['copy', ...trust('to-'), '--from-oci-layout', 'layout:v1', from]);
    await oras([
      'attach',
      ...trust(),
      '--artifact-type=application/vnd.berth.note',
      '--disable-path-validation',
      from,
      'sbom.json:application/json',
    ]);
    await oras(['copy', '--recursive', ...trust('from-'), ...trust('to-'), from, to]);
    const found = report(await oras(['discover', ...trust(), '--format=json', to])).referrers ?? [];
    assert.equal(found.length, 1);
    await oras(['copy', ...trust('from-'), '--to-oci-layout', to, 'copied:v1']);
    const copied = await readLayout(join(session.folder, 'copied'));
    for (const [digest, bytes] of image.blobs) assert.deepEqual(copied.get(digest), bytes);
  });

  test('makes a multi-architecture index, and picks the image of a platform', async () => {
    const index = await makeIndex();
    await writeLayout(join(session.folder, 'multi'), index, 'v1');
    const name = session.image('oras/multi');
    await oras(['copy', ...trust('to-'), '--from-oci-layout', 'multi:v1', name]);
    assert.deepEqual((await session.reader.manifest('oras/multi', 'v1')).bytes, index.bytes);
    for (const image of index.images) {
      const resolved = await oras(['resolve', ...trust(), '--platform', `linux/${image.architecture}`, name]);
      assert.equal(resolved.stdout.trim(), image.manifest.digest);
    }
    const digests = index.images.map((image) => image.manifest.digest);
    await oras(['manifest', 'index', 'create', ...trust(), session.image('oras/multi', 'again'), ...digests]);
    const again = JSON.parse((await session.reader.manifest('oras/multi', 'again')).bytes.toString('utf8')) as {
      manifests: { digest: string }[];
    };
    assert.deepEqual(
      again.manifests.map((entry) => entry.digest),
      digests,
    );
  });

  test('pushes, fetches and deletes single blobs', async () => {
    const content = randomBytes(5000);
    const digest = digestOf(content);
    await writeFile(join(session.folder, 'blob'), content);
    const name = session.image('oras/blobs', digest);
    await oras(['blob', 'push', ...trust(), name, 'blob']);
    assert.deepEqual((await oras(['blob', 'fetch', ...trust(), '--output=-', name])).bytes, content);
    await oras(['blob', 'delete', ...trust(), '--force', name]);
    assert.equal((await session.reader.blob('oras/blobs', digest)).status, 404);
  });
});
