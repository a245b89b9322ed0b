import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { azureSession, pick, signInAsOwner } from './azure-session.ts';
import { clientSuite } from './client-suite.ts';
import { makeImage, writeLayout } from './sample-image.ts';

/** The Azure CLI, signed in as a service principal: what is in a registry, who may use it, and imports. */
clientSuite(
  'azure-cli',
  ['az', 'crane'],
  (session) => {
    const azure = azureSession(session);
    const { acr } = azure;
    const local = ['--name', 'local'];
    const inLocal = ['--registry', 'local'];
    let digest = '';

    const login = (username: string, password: string): Promise<unknown> =>
      session.run('crane', ['auth', 'login', session.target.host, '--username', username, '--password-stdin'], {
        input: password,
      });

    before(async () => {
      await signInAsOwner(azure, session);
      const image = await makeImage();
      digest = image.manifest.digest;
      await writeLayout(join(session.folder, 'layout'), image, 'v1');
    });

    test('login --expose-token gives what crane pushes with', async () => {
      const { loginServer, accessToken } = (await acr('login', ...local, '--expose-token')) as {
        loginServer: string;
        accessToken: string;
      };
      assert.equal(loginServer, session.target.host);
      await login('00000000-0000-0000-0000-000000000000', accessToken);
      for (const reference of ['v1', 'v2']) await session.run('crane', ['push', 'layout', session.image('az/image', reference)]);
    });

    test('lists, shows, locks, untags and deletes', async () => {
      assert.deepEqual(await acr('repository', 'list', ...local), ['az/image']);
      assert.deepEqual(await acr('repository', 'show-tags', ...local, '--repository', 'az/image', '--orderby', 'time_asc'), [
        'v1',
        'v2',
      ]);
      assert.deepEqual(
        pick(await acr('repository', 'show', ...local, '--repository', 'az/image'), 'manifestCount', 'tagCount'),
        [1, 2],
      );
      await acr('repository', 'update', ...local, '--image', 'az/image:v1', '--delete-enabled', 'false');
      await assert.rejects(acr('repository', 'untag', ...local, '--image', 'az/image:v1'), /locked/);
      await acr('repository', 'update', ...local, '--image', 'az/image:v1', '--delete-enabled', 'true');
      const manifest = [...inLocal, '--name', `az/image@${digest}`];
      assert.deepEqual(pick(await acr('manifest', 'show-metadata', ...manifest), 'digest', 'tags'), [digest, ['v1', 'v2']]);
      await acr('manifest', 'update-metadata', ...manifest, '--read-enabled', 'false');
      await assert.rejects(acr('manifest', 'show', ...manifest), /locked/);
      await acr('manifest', 'update-metadata', ...manifest, '--read-enabled', 'true');
      assert.deepEqual(await acr('manifest', 'list-referrers', ...manifest), { manifests: [] });
      assert.equal(((await acr('manifest', 'list-metadata', ...inLocal, '--name', 'az/image')) as unknown[]).length, 1);
      await acr('repository', 'untag', ...local, '--image', 'az/image:v2');
      assert.deepEqual(await acr('repository', 'show-tags', ...local, '--repository', 'az/image'), ['v1']);
    });

    test('imports, and does not move a tag unless it is told to', async () => {
      const [id] = pick(await acr('show', ...local), 'id');
      const source = ['--source', 'az/image:v1', '--registry', String(id)];
      await acr('import', ...local, ...source, '--image', 'copied:v1', '--image', 'copied:v2');
      assert.deepEqual(await acr('repository', 'show-tags', ...local, '--repository', 'copied'), ['v1', 'v2']);
      const other = await makeImage();
      await writeLayout(join(session.folder, 'other'), other, 'v1');
      await session.run('crane', ['push', 'other', session.image('az/image', 'v1')]);
      assert.notEqual(other.manifest.digest, digest);
      await assert.rejects(acr('import', ...local, ...source, '--image', 'copied:v1'), /exists and names another image/);
      await acr('import', ...local, ...source, '--image', 'copied:v1', '--force');
      assert.deepEqual(
        pick(await acr('repository', 'show', ...local, '--image', 'copied:v1'), 'name', 'digest', 'changeableAttributes'),
        ['v1', other.manifest.digest, { deleteEnabled: true, listEnabled: true, readEnabled: true, writeEnabled: true }],
      );
      await assert.rejects(
        acr('import', ...local, '--source', '127.0.0.1:9/a:b', '--image', 'a:b'),
        /not on the public internet/,
      );
    });

    test('shows and deletes manifests, and deletes repositories', async () => {
      const shown = await acr('manifest', 'show', ...inLocal, '--name', 'copied:v2');
      assert.deepEqual(pick(shown, 'schemaVersion', 'layers.length'), [2, 1]);
      await acr('manifest', 'delete', '--yes', ...inLocal, '--name', `copied@${digest}`);
      assert.deepEqual(await acr('repository', 'show-tags', ...local, '--repository', 'copied'), ['v1']);
      await assert.rejects(acr('manifest', 'show', ...inLocal, '--name', 'copied:v2'), /v2/);
      await acr('repository', 'delete', '--yes', ...local, '--image', 'copied:v1');
      await acr('import', ...local, '--source', session.image('az/image', 'v1'), '--image', 'last:v1');
      await acr('repository', 'delete', '--yes', ...local, '--repository', 'last');
      assert.deepEqual(await acr('repository', 'list', ...local), ['az/image']);
    });

    test('scope maps and tokens: made, used, changed and deleted', async () => {
      const map = [...inLocal, '--name', 'az-map'];
      await acr(
        'scope-map',
        'create',
        ...map,
        '--repository',
        'az/image',
        'content/read',
        'metadata/read',
        '--description',
        'reads',
      );
      const wider = await acr('scope-map', 'update', ...map, '--add-repository', 'az/other', 'content/read');
      assert.equal(pick(wider, 'actions.length')[0], 3);
      const narrower = await acr('scope-map', 'update', ...map, '--remove-repository', 'az/other', 'content/read');
      // The client gathers actions in a set, whose order differs from call to call.
      assert.deepEqual((pick(narrower, 'actions')[0] as string[]).toSorted(), [
        'repositories/az/image/content/read',
        'repositories/az/image/metadata/read',
      ]);
      assert.deepEqual(pick(await acr('scope-map', 'show', ...map), 'description'), ['reads']);
      assert.equal(((await acr('scope-map', 'list', ...inLocal)) as unknown[]).length, 6);
      const token = [...inLocal, '--name', 'az-token'];
      const made = await acr('token', 'create', ...token, '--scope-map', 'az-map');
      const [password] = pick(made, 'credentials.passwords.0.value');
      await login('az-token', String(password));
      await session.run('crane', ['manifest', session.image('az/image')]);
      await assert.rejects(session.run('crane', ['manifest', session.image('copied')]), /UNAUTHORIZED|DENIED/);
      const generated = await acr('token', 'credential', 'generate', ...token, '--password1', '--expiration-in-days', '3');
      assert.match(String(pick(generated, 'passwords.0.expiry')[0]), /^\d{4}-/);
      await assert.rejects(session.run('crane', ['manifest', session.image('az/image')]), /UNAUTHORIZED/);
      await acr('token', 'credential', 'delete', ...token, '--password2');
      assert.equal(pick(await acr('token', 'show', ...token), 'credentials.passwords.length')[0], 1);
      assert.deepEqual(pick(await acr('token', 'update', ...token, '--status', 'disabled'), 'status'), ['disabled']);
      assert.equal(((await acr('token', 'list', ...inLocal)) as unknown[]).length, 1);
      await acr('token', 'delete', ...token, '--yes');
      await acr('scope-map', 'delete', ...map, '--yes');
      await assert.rejects(acr('scope-map', 'create', ...map, '--repository', 'a*', 'content/read'), /a\*/);
    });
  },
  ['tls'],
);
