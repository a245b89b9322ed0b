import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CommandError } from '../command-error.ts';
import { type FolderOptions, prepareFolder } from './prepare-folder.ts';
import { tarStream } from './tar-stream.ts';

async function newFolder(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth pack '));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const noInput = (): Promise<Buffer> => assert.fail('nothing reads the input');
const ofDockerfile = (wanted?: string): Pick<FolderOptions, 'dockerfile'> => ({ dockerfile: { wanted, readInput: noInput } });

/** Packs a folder and has tar unpack it. */
async function packed(t: TestContext, folder: string, options: Partial<FolderOptions> = {}) {
  const passedOver: string[] = [];
  const prepared = await prepareFolder(folder, { onPassedOver: (path) => passedOver.push(path), ...options });
  const chunks: Buffer[] = [];
  for await (const chunk of tarStream(prepared.entries)) chunks.push(chunk);
  const into = await newFolder(t);
  execFileSync('tar', ['--extract', '--same-permissions', '--directory', into], { input: Buffer.concat(chunks) });
  const paths = (await readdir(into, { recursive: true })).toSorted();
  return { into, paths, passedOver, dockerfile: prepared.dockerfile };
}

test('keeps names, modes, times, links and empty folders', async (t) => {
  const long = `${'folder with a long name/'.repeat(12)}ü file.txt`;
  const folder = await newFolder(t, { 'a b/ü.txt': 'text', [long]: 'long', 'run.sh': '#!/bin/sh\n', exact: 'x'.repeat(1024) });
  await chmod(join(folder, 'run.sh'), 0o4755);
  await mkdir(join(folder, 'empty'), { mode: 0o750 });
  await chmod(join(folder, 'empty'), 0o750);
  const links = { link: 'a b', dangling: '../outside/of it', long: `${'x'.repeat(150)}/ü` };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(folder, name));
  await utimes(join(folder, 'exact'), 1_234_567_890, 1_234_567_890);
  const { into, paths } = await packed(t, folder);
  assert.deepEqual(paths, (await readdir(folder, { recursive: true })).toSorted());
  for (const path of paths) {
    const [before, after] = [await lstat(join(folder, path)), await lstat(join(into, path))];
    assert.equal(after.mode, before.mode, path);
    if (before.isFile()) {
      assert.deepEqual(await readFile(join(into, path)), await readFile(join(folder, path)), path);
      assert.equal(Math.floor(after.mtimeMs / 1000), Math.floor(before.mtimeMs / 1000), path);
    }
    if (before.isSymbolicLink()) assert.equal(await readlink(join(into, path)), await readlink(join(folder, path)));
  }
});

test('sends the Dockerfile and the ignore files, whatever they say', async (t) => {
  const files = { Dockerfile: 'FROM scratch', '.dockerignore': '**', 'other.txt': '', 'sub/Other.Dockerfile': 'FROM scratch' };
  const folder = await newFolder(t, files);
  assert.deepEqual((await packed(t, folder, ofDockerfile())).paths, ['.dockerignore', 'Dockerfile']);
  const other = await packed(t, folder, ofDockerfile('sub/Other.Dockerfile'));
  assert.equal(other.dockerfile, 'sub/Other.Dockerfile');
  assert.deepEqual(other.paths, ['.dockerignore', 'sub', 'sub/Other.Dockerfile']);
  await writeFile(join(folder, 'sub/Other.Dockerfile.dockerignore'), 'other.txt\nsub');
  const own = await packed(t, folder, ofDockerfile('sub/Other.Dockerfile'));
  assert.deepEqual(own.paths, [
    '.dockerignore',
    'Dockerfile',
    'sub',
    'sub/Other.Dockerfile',
    'sub/Other.Dockerfile.dockerignore',
  ]);
});

test('gives a Dockerfile from elsewhere a name of its own, which COPY does not see', async (t) => {
  const folder = await newFolder(t, { 'a.txt': '', 'b.log': '', '.dockerignore': '*.log' });
  const elsewhere = await newFolder(t, { 'My Dockerfile': 'FROM scratch' });
  const { dockerfile = '', paths, into } = await packed(t, folder, ofDockerfile(join(elsewhere, 'My Dockerfile')));
  assert.match(dockerfile, /^\.berth-[0-9a-f]{12}\.Dockerfile$/);
  assert.deepEqual(paths, [dockerfile, `${dockerfile}.dockerignore`, '.dockerignore', 'a.txt'].toSorted());
  assert.equal(await readFile(join(into, dockerfile), 'utf8'), 'FROM scratch');
  const ignored = await readFile(join(into, `${dockerfile}.dockerignore`), 'utf8');
  assert.equal(ignored, `*.log\n${dockerfile}\n${dockerfile}.dockerignore\n`);
  const readInput = (): Promise<Buffer> => Promise.resolve(Buffer.from('FROM input'));
  const piped = await packed(t, folder, { dockerfile: { wanted: '-', readInput } });
  assert.equal(await readFile(join(piped.into, piped.dockerfile ?? ''), 'utf8'), 'FROM input');
});

test('passes over what no archive can hold', async (t) => {
  const folder = await newFolder(t, { 'a.txt': '' });
  const server = createServer().listen(join(folder, 'socket'));
  t.after(() => server.close());
  const { paths, passedOver } = await packed(t, folder);
  assert.deepEqual([paths, passedOver], [['a.txt'], ['socket']]);
});

test('says what is missing, and what to do', async (t) => {
  const folder = await newFolder(t, { 'a.txt': '' });
  const none = { onPassedOver: () => undefined };
  await assert.rejects(prepareFolder(folder, { ...none, ...ofDockerfile() }), {
    name: 'CommandError',
    message: `${folder} has no Dockerfile`,
  });
  await assert.rejects(
    prepareFolder(folder, { ...none, ...ofDockerfile('none') }),
    /there is no Dockerfile none, neither here nor in/,
  );
  await assert.rejects(prepareFolder(join(folder, 'none'), none), /there is no folder/);
  await assert.rejects(prepareFolder(join(folder, 'a.txt'), none), /is no folder/);
});

test('stops at a file that becomes shorter while it is packed', async (t) => {
  const folder = await newFolder(t, { big: 'x'.repeat(1_000_000) });
  const { entries } = await prepareFolder(folder, { onPassedOver: () => undefined });
  const stream = tarStream(entries);
  await stream.next();
  await writeFile(join(folder, 'big'), 'x');
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, CommandError);
});
