import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { type SampleImage, makeImage, writeLayout } from './sample-image.ts';

// With a key pair and no transparency log: nothing here needs a network.
clientSuite('cosign', ['cosign', 'crane'], (session) => {
  const cosign = (...args: readonly string[]): Promise<ProgramOutput> =>
    session.run('cosign', args, { env: { COSIGN_PASSWORD: 'sample' } });
  const reach = (): readonly string[] => {
    const { authorityFile, username, password } = session.target;
    const trust = authorityFile === undefined ? ['--allow-http-registry'] : [`--registry-cacert=${authorityFile}`];
    return [...trust, `--registry-username=${username}`, `--registry-password=${password}`];
  };
  let image: SampleImage;
  let name: string;
  before(async () => {
    image = await makeImage();
    name = session.image('cosign/image', image.manifest.digest);
    await writeLayout(join(session.folder, 'layout'), image, 'v1');
    const login = ['auth', 'login', session.target.host, '--username', session.target.username, '--password-stdin'];
    await session.run('crane', login, { input: session.target.password });
    await session.run('crane', ['push', 'layout', session.image('cosign/image')]);
    await cosign('generate-key-pair');
  });

  test('signs, and verifies with the public key only', async () => {
    await cosign('sign', ...reach(), '--key=cosign.key', '--tlog-upload=false', '--yes', name);
    const verified = await cosign('verify', ...reach(), '--key=cosign.pub', '--insecure-ignore-tlog', name);
    const [statement] = JSON.parse(verified.stdout) as { critical: { image: Record<string, string> } }[];
    assert.equal(statement?.critical.image['docker-manifest-digest'], image.manifest.digest);
    await session.run('cosign', ['generate-key-pair', '--output-key-prefix=other'], { env: { COSIGN_PASSWORD: 'sample' } });
    await assert.rejects(
      cosign('verify', ...reach(), '--key=other.pub', '--insecure-ignore-tlog', name),
      /no matching signatures|invalid signature/i,
    );
  });

  test('attaches a statement and verifies it', async () => {
    await writeFile(join(session.folder, 'predicate.json'), '{"note":"kept"}');
    await cosign(
      'attest',
      ...reach(),
      '--key=cosign.key',
      '--tlog-upload=false',
      '--yes',
      '--predicate=predicate.json',
      '--type=custom',
      name,
    );
    const verified = await cosign(
      'verify-attestation',
      ...reach(),
      '--key=cosign.pub',
      '--insecure-ignore-tlog',
      '--type=custom',
      name,
    );
    const { payload } = JSON.parse(verified.stdout.split('\n')[0] ?? '') as { payload: string };
    assert.match(Buffer.from(payload, 'base64').toString('utf8'), /\\"note\\":\\"kept\\"/);
  });

  test('attaches a bill of materials, and copies an image with all of this', async () => {
    await writeFile(join(session.folder, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}');
    await cosign('attach', 'sbom', ...reach(), '--sbom=sbom.json', '--type=spdx', name);
    const tree = await cosign('tree', ...reach(), name);
    for (const kind of ['Signatures', 'Attestations', 'SBOMs']) assert.ok(tree.stdout.includes(kind), tree.stdout);
    await cosign('copy', ...reach(), session.image('cosign/image'), session.image('cosign/copied'));
    const copied = session.image('cosign/copied', image.manifest.digest);
    await cosign('verify', ...reach(), '--key=cosign.pub', '--insecure-ignore-tlog', copied);
  });
});
