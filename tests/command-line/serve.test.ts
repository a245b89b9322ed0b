import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { RegistryClient } from '@berth/testkit';
import { environmentOf, program, runBerth, succeeded } from './run-berth.ts';

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-serve-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Serving {
  readonly child: ChildProcess;
  readonly greeting: string;
  readonly url: string;
  /** Exit code and signal. */
  readonly exit: Promise<unknown[]>;
}

/** Leads a process group, as a terminal starts it. */
async function serve(t: TestContext, args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [program, ...args, '--host', '127.0.0.1', '--port', '0'], {
    env: environmentOf({ BERTH_LOG_LEVEL: 'silent' }),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exit = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  let greeting = '';
  for await (const line of createInterface(child.stdout)) {
    greeting += `${line}\n`;
    if (line.includes('Back this file up')) break;
  }
  return { child, greeting, url: /^berth listens on (\S+)\n/.exec(greeting)?.[1] ?? assert.fail(greeting), exit };
}

async function signInOf(dataDir: string): Promise<{ username: string; password: string }> {
  return JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8')) as { username: string; password: string };
}

test('serve greets, takes commands, and ends with 0 on SIGTERM', async (t) => {
  const dataDir = join(await newFolder(t), 'served');
  const { child, greeting, url, exit } = await serve(t, ['serve', '--data', dataDir]);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const { username, password } = await signInOf(dataDir);
  assert.ok(greeting.includes(`docker login ${new URL(url).host} --username ${username} --password ${password}\n`), greeting);
  assert.equal(succeeded(await runBerth(['--data', dataDir, 'status'])), `${url} is ready.\n`);
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
});

test('serve takes --data before its name, too, and its own options after it', async (t) => {
  const dataDir = await newFolder(t);
  const { child, url, exit } = await serve(t, ['--data', dataDir, 'serve', '--tls', 'auto']);
  assert.match(url, /^https:/);
  assert.equal(succeeded(await runBerth(['status', '--data', dataDir])), `${url} is ready.\n`);
  child.kill('SIGINT');
  assert.deepEqual(await exit, [0, null]);
});

test('Ctrl-C, which reaches the whole process group, lets the request in work finish', async (t) => {
  const dataDir = await newFolder(t);
  const { child, url, exit } = await serve(t, ['serve', '--data', dataDir]);
  using client = new RegistryClient({ url, ...(await signInOf(dataDir)), scheme: 'basic' });
  const { headers } = await client.request('POST', '/v2/a/b/blobs/uploads/');
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const answer = fetch(new URL(headers.location ?? '', url), {
    method: 'PATCH',
    headers: { authorization: client.basic },
    body: readable,
    duplex: 'half',
  });
  const writer = writable.getWriter();
  await writer.write(Buffer.alloc(100_000));
  while (!/^berth_uploads_in_progress 1$/m.test(await (await fetch(new URL('/metrics', url))).text()));
  process.kill(-(child.pid ?? assert.fail('it has no process')), 'SIGINT');
  await refusesConnections(url);
  await writer.write(Buffer.alloc(100_000));
  await writer.close();
  assert.equal((await answer).status, 202);
  assert.deepEqual(await exit, [0, null]);
});

test('serve is the server itself: nothing goes on when it is killed', async (t) => {
  const { child, url, exit } = await serve(t, ['serve', '--data', await newFolder(t)]);
  child.kill('SIGKILL');
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  await assert.rejects(fetch(new URL('/healthz', url)));
});

test('serve refuses an option that the server does not know', async () => {
  const { code, stdout, stderr } = await runBerth(['serve', '--prot', '1']);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  assert.match(stderr, /^berth does not start: unknown option '--prot'\.\nNext: [^\n]+\.\n$/);
});

/** Resolves when the server has taken the signal. */
async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    try {
      await (await fetch(new URL('/healthz', url), { headers: { connection: 'close' } })).text();
    } catch {
      return;
    }
  }
}
