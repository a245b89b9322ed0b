import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Header, type HeaderData } from 'tar';
import { listContents } from './list-contents.ts';
import { type TreeLimits, readFileTree } from './read-file-tree.ts';

type Entry = readonly [path: string, content: string | Partial<HeaderData>];

function archiveOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(([path, content]) => {
    const bytes = Buffer.from(typeof content === 'string' ? content : '');
    const more = typeof content === 'string' ? {} : content;
    const header = Buffer.alloc(512);
    new Header({ path, mode: 0o644, uid: 0, gid: 0, size: bytes.length, mtime: new Date(0), type: 'File', ...more }).encode(
      header,
    );
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

const read = (entries: readonly Entry[], limits?: Partial<TreeLimits>): ReturnType<typeof readFileTree> =>
  readFileTree(inPieces(archiveOf(entries), 700), limits);

const debian: readonly Entry[] = [
  ['etc/os-release', { type: 'SymbolicLink', linkpath: '../usr/lib/os-release' }],
  ['usr/lib/os-release', 'ID=debian\nVERSION_ID="12"\n'],
  ['dev/console', { type: 'CharacterDevice' }],
  ['bin/big', 'x'.repeat(5000)],
  ['var/lib/dpkg/status', 'Package: a\nStatus: install ok installed\nVersion: 1\n'],
  ['var/lib/dpkg/status.d/b', 'Package: b\nVersion: 2\n'],
  ['var/lib/dpkg/status.d/b.md5sums', '0123  usr/b\n'],
  ['./app/node_modules/c/package.json', '{"name":"c","version":"3.0.0"}'],
  ['app/node_modules/d/package.json', { type: 'Link', linkpath: 'app/node_modules/c/package.json' }],
  ['app/node_modules/c/lib/package.json', '{"name":"no","version":"1.0.0"}'],
  ['app/package.json', '{"name":"app","version":"1.0.0"}'],
  ['usr/lib/python3/site-packages/e-1.dist-info/METADATA', 'Name: e\nVersion: 1\n'],
];

test('what tells of packages is picked out of a tree, each package once', async () => {
  const { packages, system, gaps } = listContents(await read(debian));
  assert.deepEqual(system, { id: 'debian', versionId: '12' });
  assert.deepEqual(
    packages.map(({ type, name }) => `${type} ${name}`),
    ['deb a', 'deb b', 'npm c', 'pypi e'],
  );
  assert.deepEqual(gaps, []);
});

test('what cannot be read is told: databases of rpm, and links', async () => {
  const { packages, gaps } = listContents(
    await read([
      ['var/lib/rpm/rpmdb.sqlite', 'SQLite format 3'],
      ['lib/apk/db/installed', { type: 'SymbolicLink', linkpath: '/proc/self/environ' }],
    ]),
  );
  assert.deepEqual(packages, []);
  assert.match(gaps.join('\n'), /rpm are not listed.*var\/lib\/rpm\/rpmdb\.sqlite\.\nNot read.*: lib\/apk\/db\/installed\.$/s);
});

test('a tree without files has no packages', async () => {
  assert.deepEqual(await read([]), []);
});

test('attack 32: trees that are too large, cut off or damaged are refused', async () => {
  const refused = (message: RegExp, limits: Partial<TreeLimits>, entries = debian): Promise<void> =>
    assert.rejects(read(entries, limits), { name: 'ContentsUnreadable', message });
  await refused(/more than 3000 bytes/, { maxTreeBytes: 3000 });
  await refused(/holds more than 3 files/, { maxEntries: 3 });
  await refused(/"usr\/lib\/os-release" has more than 10 bytes/, { maxFileBytes: 10 });
  await refused(/package databases have more than 60 bytes/, { maxKeptBytes: 60 });
  await assert.rejects(readFileTree(inPieces(archiveOf(debian).subarray(0, 4000), 700)), { name: 'ContentsUnreadable' });
  await assert.rejects(readFileTree(inPieces(Buffer.alloc(5000, 'x'), 700)), { name: 'ContentsUnreadable' });
});
