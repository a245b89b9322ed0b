import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newName, put, readWhole, testBlobStore } from './blob-store.contract.ts';
import { StoreFullError } from './blob-store.ts';
import { openFilesystemStore } from './filesystem-store.ts';
import { FilesystemWriter } from './filesystem-writer.ts';
import { FolderSync } from './folder-sync.ts';
import { Semaphore } from './semaphore.ts';

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-parts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

testBlobStore('filesystem', async (t) => {
  const folder = join(await newFolder(t), 'parts');
  return () => openFilesystemStore(folder);
});

const pathOf = (folder: string, name: string): string => join(folder, name.slice(0, 2), name);

test('files are for their owner only, by the first two digits of their names', async (t) => {
  const folder = join(await newFolder(t), 'parts');
  const store = await openFilesystemStore(folder);
  const name = await put(store, Buffer.from('x'));
  const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  assert.equal(await mode(folder), 0o700);
  assert.equal(await mode(join(folder, name.slice(0, 2))), 0o700);
  assert.equal(await mode(pathOf(folder, name)), 0o600);
  assert.equal((await readdir(folder)).length, 256);
});

test('attack 2: a name that is none never becomes a path', async (t) => {
  const store = await openFilesystemStore(await newFolder(t));
  for (const name of [
    '',
    '..',
    '../../etc/passwd',
    'a'.repeat(31),
    'a'.repeat(33),
    'A'.repeat(32),
    `${'a'.repeat(31)}/`,
    `${'a'.repeat(31)}\0`,
    `${'a'.repeat(32)}\n`,
  ]) {
    await assert.rejects(store.create(name), RangeError);
    await assert.rejects(store.open(name), RangeError);
    await assert.rejects(store.deleteMany([name]), RangeError);
  }
});

test('a link in the place of a part is not followed', async (t) => {
  const outside = join(await newFolder(t), 'outside');
  await writeFile(outside, 'secret');
  const folder = await newFolder(t);
  const store = await openFilesystemStore(folder);
  const name = newName();
  await symlink(outside, pathOf(folder, name));
  await assert.rejects(store.open(name), { code: 'ELOOP' });
  await assert.rejects(store.create(name), /exists/);
  await store.deleteMany([name]);
  assert.equal(await readFile(outside, 'utf8'), 'secret');
});

test('a link in the place of a folder is refused', async (t) => {
  const outside = await newFolder(t);
  const folder = await newFolder(t);
  await symlink(outside, join(folder, '5e'));
  await assert.rejects(openFilesystemStore(folder), /5e is not a folder/);
});

test('a folder of parts that is itself a link is taken: another disk', async (t) => {
  const disk = await newFolder(t);
  const folder = join(await newFolder(t), 'parts');
  await symlink(disk, folder);
  const store = await openFilesystemStore(folder);
  assert.equal((await readWhole(store, await put(store, Buffer.from('x')))).toString(), 'x');
});

test('the check fails when the folder is gone', async (t) => {
  const folder = await newFolder(t);
  const store = await openFilesystemStore(folder);
  await store.check();
  await rm(folder, { recursive: true });
  await assert.rejects(store.check(), { code: 'ENOENT' });
});

test('a file that was cut is as short as it is', async (t) => {
  const folder = await newFolder(t);
  const store = await openFilesystemStore(folder);
  const name = await put(store, randomBytes(100));
  await truncate(pathOf(folder, name), 40);
  assert.equal((await readWhole(store, name)).length, 40);
});

test('a reader that is closed reads nothing, also when closed twice', async (t) => {
  const store = await openFilesystemStore(await newFolder(t));
  const reader = await store.open(await put(store, randomBytes(100)));
  await reader.close();
  await reader.close();
  await assert.rejects(reader.read(0, Buffer.alloc(1)), /closed/);
});

/** A file that fails or writes little, as a disk that fills up does. */
function writerOn(
  file: { writev?: (buffers: readonly Uint8Array[]) => Promise<{ bytesWritten: number }>; sync?: () => Promise<void> },
  bytesInFlight = new Semaphore(1_000),
): FilesystemWriter {
  const whole = {
    writev: async (buffers: readonly Uint8Array[]) => ({ bytesWritten: Buffer.concat(buffers).length }),
    sync: async () => undefined,
    close: async () => undefined,
  };
  const handle = { ...whole, ...file } as unknown as ConstructorParameters<typeof FilesystemWriter>[0]['file'];
  return new FilesystemWriter({
    file: handle,
    path: join(tmpdir(), newName()),
    bytesInFlight,
    syncFolder: async () => undefined,
    onEnd: () => undefined,
  });
}

function failWith(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

test('attack 41: no space or no quota is a full store, in a later call at the latest', async () => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const writer = writerOn({ writev: failWith(code) });
    await writer.append([Buffer.alloc(10)]);
    await assert.rejects(writer.commit(), StoreFullError);
    await assert.rejects(writer.append([Buffer.alloc(10)]), StoreFullError);
    await writer.cancel();
    const atSync = writerOn({ sync: failWith(code) });
    await atSync.append([Buffer.alloc(10)]);
    await assert.rejects(atSync.commit(), StoreFullError);
    await atSync.cancel();
  }
  const broken = writerOn({ writev: failWith('EIO') });
  await broken.append([Buffer.alloc(10)]);
  await assert.rejects(broken.commit(), { code: 'EIO' });
});

test('attack 41: a write that was short is continued where it stopped', async () => {
  const written: string[] = [];
  const writer = writerOn({
    writev: async (buffers) => {
      const bytes = Buffer.concat(buffers);
      const bytesWritten = Math.min(3, bytes.length);
      written.push(bytes.subarray(0, bytesWritten).toString());
      return { bytesWritten };
    },
  });
  await writer.append(['ab', '', 'cdef', 'g'].map((text) => Buffer.from(text)));
  await writer.commit();
  assert.equal(written.join(''), 'abcdefg');
});

test('bytes in flight are bounded for all writers together', async () => {
  const bytesInFlight = new Semaphore(100);
  const pending: (() => void)[] = [];
  const slow = {
    writev: (buffers: readonly Uint8Array[]) =>
      new Promise<{ bytesWritten: number }>((resolve) =>
        pending.push(() => resolve({ bytesWritten: Buffer.concat(buffers).length })),
      ),
  };
  const [first, second, third] = [writerOn(slow, bytesInFlight), writerOn(slow, bytesInFlight), writerOn(slow, bytesInFlight)];
  await first.append([Buffer.alloc(80)]);
  const waiting = second.append([Buffer.alloc(30)]);
  const cancelled = third.append([Buffer.alloc(10)]);
  const cancelling = third.cancel();
  assert.equal(pending.length, 1);
  pending.shift()?.();
  await waiting;
  assert.equal(pending.length, 1);
  await assert.rejects(cancelled, /cancelled/);
  await cancelling;
  pending.shift()?.();
  await Promise.all([first.commit(), second.commit()]);
  assert.equal(bytesInFlight.tryAcquire(100), true);
});

test('one sync of a folder serves all who asked before it began', async (t) => {
  const folder = await newFolder(t);
  const syncs = new FolderSync();
  const first = syncs.sync(folder);
  const [second, third] = [syncs.sync(folder), syncs.sync(folder)];
  assert.notEqual(first, second);
  assert.equal(second, third);
  await Promise.all([first, second, third]);
  await syncs.close();
  await rm(folder, { recursive: true });
  const [failed, later] = [syncs.sync(folder), syncs.sync(folder)];
  await assert.rejects(failed, { code: 'ENOENT' });
  await assert.rejects(later, { code: 'ENOENT' });
  await mkdir(folder);
  await syncs.sync(folder);
  await syncs.close();
});
