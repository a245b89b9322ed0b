import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { extractTar } from './extract-tar.ts';
import { SourceError } from './source-error.ts';
import { type TestEntry, archiveOf, entryOf, rawEntry } from './test-archive.ts';
import { unpack } from './unpack.ts';

const roomy = { maxBytes: 2 ** 30, signal: new AbortController().signal };

describe('unpacking an archive', () => {
  let around: string;
  let folder: string;
  beforeEach(() => {
    around = mkdtempSync(join(tmpdir(), 'berth-unpack-'));
    folder = join(around, 'workspace');
    mkdirSync(folder);
    writeFileSync(join(around, 'outside'), 'untouched');
  });
  afterEach(() => {
    assert.equal(readFileSync(join(around, 'outside'), 'utf8'), 'untouched');
    assert.deepEqual(readdirSync(around).toSorted(), ['outside', 'workspace']);
    rmSync(around, { recursive: true, force: true });
  });

  const unpackBytes = (bytes: Buffer, options = roomy): Promise<void> => unpack(Readable.from([bytes]), folder, options);
  const unpackEntries = (entries: readonly TestEntry[]): Promise<void> => unpackBytes(archiveOf(entries));
  const refuses = async (bytes: Buffer, message: RegExp, options = roomy): Promise<void> => {
    await assert.rejects(unpackBytes(bytes, options), (error: unknown) => {
      assert.ok(error instanceof SourceError, String(error));
      assert.match(error.message, message);
      return true;
    });
  };

  test('keeps files, modes, times, folders and links inside', async () => {
    await unpackEntries([
      { path: './', type: 'Directory', mode: 0o755 },
      { path: 'a dir/', type: 'Directory', mode: 0o750 },
      { path: 'a dir/run.sh', mode: 0o755, content: 'echo' },
      { path: 'deep/er/file', content: 'made its folders' },
      { path: 'link', type: 'SymbolicLink', linkpath: 'a dir/run.sh' },
      { path: 'hard', type: 'Link', linkpath: 'a dir/run.sh' },
      { path: 'ümläut', content: 'ü' },
      { path: `${'long/'.repeat(40)}file`, content: 'long' },
    ]);
    assert.equal(readFileSync(join(folder, 'link'), 'utf8'), 'echo');
    assert.equal(statSync(join(folder, 'a dir/run.sh')).mode & 0o7777, 0o755);
    assert.equal(statSync(join(folder, 'a dir')).mode & 0o7777, 0o750);
    assert.equal(statSync(join(folder, 'a dir/run.sh')).mtimeMs, 1_700_000_000_000);
    assert.equal(statSync(join(folder, 'hard')).nlink, 2);
    assert.equal(readFileSync(join(folder, 'long/'.repeat(40), 'file'), 'utf8'), 'long');
    assert.equal(readFileSync(join(folder, 'ümläut'), 'utf8'), 'ü');
  });

  test('takes "/" for the folder that was packed, as Python and the Azure CLI write it', async () => {
    await unpackEntries([
      { path: '/', type: 'Directory', mode: 0o755 },
      { path: 'file', content: 'x' },
    ]);
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'x');
  });

  const payload = archiveOf([{ path: 'file', content: 'x'.repeat(100_000) }]);
  const packers: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['plain', (bytes) => bytes],
    ['gzip', (bytes) => gzipSync(bytes)],
    ['gzip of several members', (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))])],
    ['zstd', (bytes) => zstdCompressSync(bytes)],
    ['bzip2', (bytes) => execFileSync('bzip2', ['-c'], { input: bytes, maxBuffer: 2 ** 24 })],
    ['xz', (bytes) => execFileSync('xz', ['-c'], { input: bytes, maxBuffer: 2 ** 24 })],
  ];
  for (const [name, pack] of packers) {
    test(`reads ${name}, in pieces of every size, and sees when it is cut off`, async () => {
      const bytes = pack(payload);
      for (const size of [1, 7, 511, 513, bytes.length]) {
        const pieces =
          size === 1
            ? [...bytes.subarray(0, 600)].map((byte): Buffer => Buffer.of(byte)).concat(bytes.subarray(600))
            : chunksOf(bytes, size);
        await unpack(Readable.from(pieces), folder, roomy);
        assert.equal(readFileSync(join(folder, 'file'), 'utf8').length, 100_000);
      }
      await refuses(bytes.subarray(0, Math.floor(bytes.length * 0.6)), /cut off|damaged/);
    });
  }

  const attacks: readonly (readonly [string, readonly TestEntry[], RegExp])[] = [
    ['..', [{ path: '../outside', content: 'evil' }], /leads out of the folder/],
    ['.. in the middle', [{ path: 'a/../../outside', content: 'evil' }], /leads out of the folder/],
    ['an absolute path', [{ path: '/tmp/berth-evil', content: 'evil' }], /is absolute/],
    ['a hard link to ..', [{ path: 'h', type: 'Link', linkpath: '../outside' }], /leads out of the folder/],
    ['an absolute hard link', [{ path: 'h', type: 'Link', linkpath: '/etc/passwd' }], /is absolute/],
    [
      'a file through a symbolic link',
      [
        { path: 's', type: 'SymbolicLink', linkpath: '..' },
        { path: 's/outside', content: 'evil' },
      ],
      /goes through a symbolic link/,
    ],
    [
      'a folder through a symbolic link',
      [
        { path: 's', type: 'SymbolicLink', linkpath: '/tmp' },
        { path: 's/made', type: 'Directory' },
      ],
      /goes through a symbolic link/,
    ],
    [
      'a hard link through a symbolic link',
      [
        { path: 's', type: 'SymbolicLink', linkpath: '..' },
        { path: 'h', type: 'Link', linkpath: 's/outside' },
      ],
      /goes through a symbolic link/,
    ],
    [
      'a hard link to a symbolic link',
      [
        { path: 's', type: 'SymbolicLink', linkpath: '../outside' },
        { path: 'h', type: 'Link', linkpath: 's' },
        { path: 'h', content: 'evil' },
      ],
      /is no file of the archive/,
    ],
    [
      'a folder that becomes a link once it is known',
      [
        { path: 'd/', type: 'Directory' },
        { path: 'd', type: 'SymbolicLink', linkpath: '..' },
        { path: 'd/outside', content: 'evil' },
      ],
      /goes through a symbolic link/,
    ],
    ['a character device', [{ path: 'null', type: 'CharacterDevice' }], /a device or a pipe/],
    ['a block device', [{ path: 'sda', type: 'BlockDevice' }], /a device or a pipe/],
    ['a named pipe', [{ path: 'fifo', type: 'FIFO' }], /a device or a pipe/],
    [
      'a file below a file',
      [
        { path: 'f', content: '1' },
        { path: 'f/g', content: '2' },
      ],
      /through a file/,
    ],
    [
      'a file in the place of a full folder',
      [
        { path: 'd/f', content: '1' },
        { path: 'd', content: '2' },
      ],
      /folder with files in it/,
    ],
    [
      'the folder itself as a link, called /',
      [{ path: '/', type: 'SymbolicLink', linkpath: '..' }],
      /would replace the folder itself/,
    ],
    ['a hard link to the folder itself', [{ path: 'h', type: 'Link', linkpath: '/' }], /is no file of the archive/],
    ['the folder itself as a link', [{ path: './', type: 'SymbolicLink', linkpath: '..' }], /would replace the folder itself/],
  ];
  for (const [name, entries, message] of attacks) test(`attack 32: refuses ${name}`, () => refuses(archiveOf(entries), message));

  test('attack 32: a symbolic link that leads out stays a link, and a file of its name replaces it', async () => {
    await unpackEntries([
      { path: 'rootfs/localtime', type: 'SymbolicLink', linkpath: '/usr/share/zoneinfo/UTC' },
      { path: 'out', type: 'SymbolicLink', linkpath: '../outside' },
      { path: 'out', content: 'inside' },
    ]);
    assert.equal(readlinkSync(join(folder, 'rootfs/localtime')), '/usr/share/zoneinfo/UTC');
    assert.ok(lstatSync(join(folder, 'out')).isFile());
    assert.equal(readFileSync(join(folder, 'out'), 'utf8'), 'inside');
  });

  test('attack 32: of two entries with one name the last one holds, and is no other name of the first', async () => {
    await unpackEntries([
      { path: 'f', content: 'first' },
      { path: 'h', type: 'Link', linkpath: 'f' },
      { path: 'f', content: 'second' },
    ]);
    assert.equal(readFileSync(join(folder, 'f'), 'utf8'), 'second');
    assert.equal(readFileSync(join(folder, 'h'), 'utf8'), 'first');
  });

  test('attack 32: no file gets the rights of another user', async () => {
    await unpackEntries([
      { path: 'f', mode: 0o6755, content: '' },
      { path: 'd/', type: 'Directory', mode: 0o7000 },
    ]);
    assert.equal(statSync(join(folder, 'f')).mode & 0o7777, 0o755);
    assert.equal(statSync(join(folder, 'd')).mode & 0o7777, 0o700);
  });

  test('attack 32: entries are counted', async () => {
    const many = archiveOf(Array.from({ length: 21 }, (_, at) => ({ path: `f${at}` })));
    await assert.rejects(
      extractTar(Readable.from([many]), folder, { maxBytes: 2 ** 30, maxEntries: 20 }),
      /more than 20 entries/,
    );
    const few = archiveOf(Array.from({ length: 20 }, (_, at) => ({ path: `f${at}` })));
    await extractTar(Readable.from([few]), folder, { maxBytes: 2 ** 30, maxEntries: 20 });
  });

  test('attack 32: bytes are bounded before they are written', async () => {
    const limit = { ...roomy, maxBytes: 1_000_000 };
    const large = archiveOf([{ path: 'large', content: Buffer.alloc(1_000_001) }]);
    await refuses(large, /too large/, limit);
    await refuses(gzipSync(large), /too large/, limit);
    await refuses(zstdCompressSync(large), /too large/, limit);
    assert.deepEqual(readdirSync(folder), []);
    // Empty files take room, too.
    await refuses(archiveOf(Array.from({ length: 1000 }, (_, at) => ({ path: `f${at}` }))), /too large/, limit);
  });

  test('attack 32: a bomb after the end mark is not read for ever', async () => {
    const end = archiveOf([{ path: 'f', content: 'fine' }]);
    let sent = 0;
    const endless = (function* () {
      yield end;
      for (;;) {
        sent += 2 ** 20;
        yield Buffer.alloc(2 ** 20);
      }
    })();
    await assert.rejects(unpack(Readable.from(endless), folder, { ...roomy, maxBytes: 10_000 }), /larger than the \d+ bytes/);
    assert.ok(sent < 2 ** 30 + 2 ** 25);
  });

  test('attack 32: sparse files are refused, in both ways of writing them', async () => {
    const gnu = Buffer.concat([rawEntry('S', 'sparse', Buffer.alloc(0)), archiveOf([])]);
    await refuses(gnu, /sparse/);
    const line = (text: string): string => {
      const length = text.length + 4;
      return `${length} ${text}\n`;
    };
    const pax = Buffer.from(line('GNU.sparse.realsize=99999999999'));
    await refuses(Buffer.concat([rawEntry('x', 'pax', pax), entryOf({ path: 'f', content: 'x' }), archiveOf([])]), /sparse/);
  });

  test('attack 32: a header without end is refused, and a long one read', async () => {
    const path = `${`${'d'.repeat(200)}/`.repeat(15)}f`;
    await unpackEntries([{ path, content: 'deep' }]);
    assert.equal(readFileSync(join(folder, path), 'utf8'), 'deep');
    await refuses(archiveOf([{ path: `${'d/'.repeat(200)}f` }]), /folders deep/);
    const huge = rawEntry('x', 'pax', Buffer.alloc(1024 * 1024 + 512, 'a'));
    await refuses(Buffer.concat([huge, archiveOf([{ path: 'f' }])]), /header of more than/);
    await refuses(
      Buffer.concat([rawEntry('L', 'l', Buffer.alloc(5000, 'a')), archiveOf([{ path: 'f' }])]),
      /is no path|too long/,
    );
  });

  test('attack 32: wrong checksums, truncation and unknown types are refused', async () => {
    const good = archiveOf([
      { path: 'a', content: 'a' },
      { path: 'b', content: 'b' },
    ]);
    const bad = Buffer.from(good);
    bad[1024 + 3] = 0x58;
    await refuses(bad, /damaged/);
    await refuses(archiveOf([{ path: 'a', content: 'x'.repeat(2000) }]).subarray(0, 1024), /damaged|cut off/);
    await refuses(archiveOf([{ path: 'a', content: 'x' }], { end: false }), /cut off/);
    await refuses(Buffer.concat([rawEntry('V', 'volume', Buffer.alloc(0)), archiveOf([])]), /type that is not unpacked/);
  });

  test('says what it is that cannot be unpacked', async () => {
    await refuses(Buffer.alloc(0), /is empty/);
    await refuses(Buffer.from('PK\u0003\u0004aaaa'), /packed with zip/);
    await refuses(Buffer.from('<html>not found</html>'.repeat(100)), /no tar archive/);
    await refuses(gzipSync(Buffer.from('hello')), /no tar archive/);
    await refuses(gzipSync(gzipSync(payload)), /no tar archive/);
    await unpackEntries([]);
  });

  test('a source that fails is what is told of, and an aborted one ends', async () => {
    const failing = (function* () {
      yield gzipSync(payload).subarray(0, 100);
      throw new SourceError('the upload broke off');
    })();
    await assert.rejects(unpack(Readable.from(failing), folder, roomy), /the upload broke off/);
    const abort = new AbortController();
    const waiting = (async function* () {
      yield gzipSync(payload).subarray(0, 50);
      abort.abort('canceled');
      yield gzipSync(payload).subarray(50);
    })();
    await assert.rejects(
      unpack(waiting, folder, { ...roomy, signal: abort.signal }),
      (reason) => reason === 'canceled' || (reason as Error).name === 'AbortError',
    );
  });

  test('whatever entries say, nothing is written outside', async () => {
    const name = fc.constantFrom('a', 'b', '..', '.', '', 'outside', 'workspace');
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const entry = fc.record({
      path,
      type: fc.constantFrom('File' as const, 'Directory' as const, 'SymbolicLink' as const, 'Link' as const),
      linkpath: path,
      content: fc.constant(''),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        await unpackEntries(entries).catch((error: unknown) => assert.ok(error instanceof SourceError, String(error)));
        assert.equal(readFileSync(join(around, 'outside'), 'utf8'), 'untouched');
        assert.deepEqual(readdirSync(around).toSorted(), ['outside', 'workspace']);
      }),
      { numRuns: 150 },
    );
  });
});

function chunksOf(bytes: Buffer, size: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}
