import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DataInUseError, acquireDataLock } from './data-lock.ts';

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-lock-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a data folder has one owner at a time', async (t) => {
  const folder = await makeFolder(t);
  const lock = acquireDataLock(folder);
  assert.throws(() => acquireDataLock(folder), DataInUseError);
  lock.release();
  lock.release();
  acquireDataLock(folder).release();
});

test('another process that holds the lock keeps it until it dies, however it dies', async (t) => {
  const folder = await makeFolder(t);
  const program = `
    const { acquireDataLock } = await import(${JSON.stringify(new URL('./data-lock.ts', import.meta.url).href)});
    // Whoever drops the lock may lose it to the garbage collector.
    globalThis.lock = acquireDataLock(${JSON.stringify(folder)});
    console.log('held');
    setInterval(() => {}, 1000);
  `;
  const args = ['--conditions=source', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  assert.throws(() => acquireDataLock(folder), { name: 'DataInUseError', dataDir: folder });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  acquireDataLock(folder).release();
});
