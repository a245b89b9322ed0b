import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { makeImage, writeLayout } from './sample-image.ts';

clientSuite('notation', ['notation', 'crane'], (session) => {
  const notation = (...args: readonly string[]): Promise<ProgramOutput> =>
    session.run('notation', args, { env: { XDG_CONFIG_HOME: session.folder } });
  const reach = (): readonly string[] => {
    const { transport, username, password } = session.target;
    return [...(transport === 'http' ? ['--insecure-registry'] : []), `--username=${username}`, `--password=${password}`];
  };
  let name: string;
  before(async () => {
    const image = await makeImage();
    name = session.image('notation/image', image.manifest.digest);
    await writeLayout(join(session.folder, 'layout'), image, 'v1');
    const login = ['auth', 'login', session.target.host, '--username', session.target.username, '--password-stdin'];
    await session.run('crane', login, { input: session.target.password });
    await session.run('crane', ['push', 'layout', session.image('notation/image')]);
    await notation('cert', 'generate-test', '--default', 'sample');
    const policy = {
      name: 'sample',
      registryScopes: ['*'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:sample'],
      trustedIdentities: ['*'],
    };
    await mkdir(join(session.folder, 'notation'), { recursive: true });
    await writeFile(
      join(session.folder, 'notation/trustpolicy.json'),
      JSON.stringify({ version: '1.0', trustPolicies: [policy] }),
    );
  });

  test('signs, lists and verifies', async () => {
    await notation('sign', ...reach(), name);
    assert.match((await notation('list', ...reach(), name)).stdout, /application\/vnd\.cncf\.notary\.signature/);
    assert.match((await notation('verify', ...reach(), name)).stdout, /Successfully verified/);
  });
});
