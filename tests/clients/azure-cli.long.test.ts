import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import { makeImage, writeLayout } from './sample-image.ts';

/** Debian's Azure CLI, unmodified, with the admin user's name and password: its commands on the data plane. */
clientSuite(
  'azure-cli',
  ['az', 'crane'],
  (session) => {
    const azure = async (...args: readonly string[]): Promise<unknown> => {
      const env = {
        AZURE_CONFIG_DIR: join(session.folder, 'azure'),
        AZURE_CORE_COLLECT_TELEMETRY: '0',
        AZURE_CORE_ONLY_SHOW_ERRORS: '1',
        REQUESTS_CA_BUNDLE: session.target.authorityFile ?? '',
      };
      const { stdout } = await session.run('az', args, { env });
      return stdout.trim() === '' ? undefined : JSON.parse(stdout);
    };
    const acr = (...args: readonly string[]): Promise<unknown> => {
      const { username, password } = session.target;
      return azure('acr', ...args, '--username', username, '--password', password);
    };
    const repository = ['--name', 'local', '--repository', 'azure/image'];
    const tag = ['--name', 'local', '--image', 'azure/image:v1'];
    const manifest = (): string[] => ['--registry', 'local', '--name', `azure/image@${digest}`];
    let digest = '';

    before(async () => {
      const { host, username, password } = session.target;
      const image = await makeImage();
      digest = image.manifest.digest;
      await writeLayout(join(session.folder, 'layout'), image, 'v1');
      await session.run('crane', ['auth', 'login', host, '--username', username, '--password-stdin'], { input: password });
      for (const reference of ['v1', 'v2'])
        await session.run('crane', ['push', 'layout', session.image('azure/image', reference)]);
      // The CLI makes a login server of name and suffix: "local" and "host:<port>" are "localhost:<port>".
      const origin = `https://localhost:${new URL(session.target.origin).port}`;
      const cloud = {
        '--endpoint-resource-manager': origin,
        '--endpoint-active-directory': `${origin}/adfs`,
        '--endpoint-active-directory-resource-id': `${origin}/`,
        '--endpoint-active-directory-graph-resource-id': `${origin}/`,
        '--suffix-acr-login-server-endpoint': `host:${new URL(origin).port}`,
        '--suffix-storage-endpoint': 'localhost',
      };
      await azure('cloud', 'register', '--name', 'berth', ...Object.entries(cloud).flat());
      await azure('cloud', 'set', '--name', 'berth');
    });

    test('is refused with a wrong password', async () => {
      const wrong = ['acr', 'repository', 'list', '--name', 'local', '--username', 'local', '--password', 'wrong'];
      await assert.rejects(azure(...wrong), /password is wrong|401|[Uu]nauthorized/);
    });

    test('lists and shows repositories, tags and manifests', async () => {
      assert.deepEqual(await acr('repository', 'list', '--name', 'local'), ['azure/image']);
      assert.deepEqual(await acr('repository', 'show-tags', ...repository, '--orderby', 'time_desc', '--top', '1'), ['v2']);
      const { manifestCount, tagCount } = (await acr('repository', 'show', ...repository)) as Record<string, number>;
      assert.deepEqual([manifestCount, tagCount], [1, 2]);
      assert.equal(((await acr('repository', 'show', ...tag)) as { digest: string }).digest, digest);
      const [listed] = (await acr('manifest', 'list-metadata', '--registry', 'local', '--name', 'azure/image')) as [
        { digest: string; tags: string[]; architecture: string },
      ];
      assert.deepEqual([listed.digest, listed.tags, listed.architecture], [digest, ['v1', 'v2'], 'amd64']);
      const shown = (await acr('manifest', 'show', '--registry', 'local', '--name', 'azure/image:v1')) as {
        schemaVersion: number;
      };
      assert.equal(shown.schemaVersion, 2);
      assert.deepEqual(await acr('manifest', 'list-referrers', ...manifest()), { manifests: [] });
    });

    test('locks, is refused by name, unlocks, untags and deletes', async () => {
      await acr('repository', 'update', ...tag, '--write-enabled', 'false');
      for (const command of [['untag'], ['delete', '--yes']])
        await assert.rejects(acr('repository', ...command, ...tag), /the tag v1 of azure\/image is locked/);
      await acr('repository', 'update', ...tag, '--write-enabled', 'true');
      await acr('manifest', 'update-metadata', ...manifest(), '--delete-enabled', 'false');
      await assert.rejects(
        acr('manifest', 'delete', '--yes', ...manifest()),
        /the manifest sha256:\w+ of azure\/image is locked/,
      );
      await acr('manifest', 'update-metadata', ...manifest(), '--delete-enabled', 'true');
      await acr('repository', 'untag', ...tag);
      assert.deepEqual(await acr('repository', 'show-tags', ...repository), ['v2']);
      await acr('manifest', 'delete', '--yes', ...manifest());
      await acr('repository', 'delete', '--yes', ...repository);
      assert.deepEqual(await acr('repository', 'list', '--name', 'local'), []);
    });
  },
  ['tls'],
);
