import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareFolder } from '../../packages/cli/src/packing/prepare-folder.ts';
import { tarStream } from '../../packages/cli/src/packing/tar-stream.ts';
import { clientSuite } from './client-suite.ts';
import { type DockerEngine, startDockerEngine } from './docker-engine.ts';

/** Of each line of a `.dockerignore`; other engines and versions agree on these (packing/ignore-rules.test.ts has the rest). */
const ignoreFiles: readonly string[] = [
  '',
  '*.log\n!keep.log\n',
  '\uFEFF# comment\n\n  a  \n',
  '/a\nb/\n',
  './a/../b\n',
  '**/*.txt\n',
  '**\n!a b\n',
  '*\n!a/b\n',
  '*\n!.dockerignore\n!Dockerfile\n!a\na/x\n',
  'a/**\n!a/b/y.log\n',
  'Dockerfile\n.dockerignore\n',
  '?\n[x]\n',
  '\\[x\\]\n\\#hash\n',
  '[^a]*\n',
  'node_modules\n**/node_modules\n',
  'ü\n*/ü*\n',
  'link\nempty\n',
];

const files = [
  'a/b/y.log',
  'a/b/ü.txt',
  'a/x',
  'b/c',
  'a b/c d.txt',
  '[x]',
  '#hash',
  'keep.log',
  'drop.log',
  'ü/é.txt',
  'x',
  'run.sh',
];
const more = ['node_modules/m/i.js', 'src/node_modules/m.js', '.env', '.hidden/file'];

clientSuite(
  'docker',
  ['docker', 'dockerd'],
  (session) => {
    let engine: DockerEngine | undefined;
    let folder = '';
    before(async () => {
      engine = await startDockerEngine(session);
      folder = await mkdtemp(join(session.folder, 'a context '));
      for (const path of [...files, ...more]) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), path);
      }
      await mkdir(join(folder, 'empty'));
      await chmod(join(folder, 'run.sh'), 0o750);
      await symlink('a b', join(folder, 'link'));
      await symlink('/etc/passwd', join(folder, 'dangling'));
      await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
    });
    after(() => engine?.stop());

    /** What `COPY . /` of a folder comes to. */
    const copied = async (context: string, dockerfile?: string): Promise<readonly string[]> => {
      const into = await mkdtemp(join(session.folder, 'copied-'));
      const named = dockerfile === undefined ? [] : ['--file', dockerfile];
      const args = ['--host', engine?.host ?? '', 'build', '--quiet', ...named, '--output', `type=local,dest=${into}`, context];
      await session.run('docker', args, { env: { DOCKER_BUILDKIT: '1' } });
      const found = await listed(into);
      await rm(into, { recursive: true });
      return found;
    };
    /** The same of what `berth build` sends, which an agent unpacks and builds. */
    const sent = async (dockerfile?: string): Promise<readonly string[]> => {
      const into = await mkdtemp(join(session.folder, 'sent-'));
      const wanted = dockerfile;
      const readInput = (): Promise<Buffer> => assert.fail('nothing is piped in');
      const prepared = await prepareFolder(folder, { dockerfile: { wanted, readInput }, onPassedOver: assert.fail });
      const chunks: Buffer[] = [];
      for await (const chunk of tarStream(prepared.entries)) chunks.push(chunk);
      execFileSync('tar', ['--extract', '--same-permissions', '--directory', into], { input: Buffer.concat(chunks) });
      const found = await copied(into, join(into, prepared.dockerfile ?? ''));
      await rm(into, { recursive: true });
      return found;
    };

    for (const text of ignoreFiles) {
      test(`what is sent becomes the same image as the folder itself: ${JSON.stringify(text)}`, async () => {
        await writeFile(join(folder, '.dockerignore'), text);
        assert.deepEqual(await sent(), await copied(folder));
      });
    }

    test('a Dockerfile from elsewhere stays out of the image, and its own ignore file holds', async () => {
      const elsewhere = await mkdtemp(join(session.folder, 'elsewhere-'));
      const dockerfile = join(elsewhere, 'Other.Dockerfile');
      await writeFile(dockerfile, 'FROM scratch\nCOPY . /\n');
      await writeFile(join(folder, '.dockerignore'), 'a\n');
      assert.deepEqual(await sent(dockerfile), await copied(folder, dockerfile));
      await writeFile(`${dockerfile}.dockerignore`, '*\n!b\n');
      assert.deepEqual(await sent(dockerfile), await copied(folder, dockerfile));
    });
  },
  ['http'],
);

/** Names with what they are: mode, and content or target. */
async function listed(folder: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const path of (await readdir(folder, { recursive: true })).toSorted()) {
    const stats = await lstat(join(folder, path));
    const content = stats.isFile() ? (await readFile(join(folder, path))).toString('base64') : '';
    lines.push(`${path} ${stats.mode.toString(8)} ${content}`);
  }
  return lines;
}
