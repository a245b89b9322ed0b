import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type SpawnedRegistry, spawnRegistry } from '@berth/testkit';
import { runBerth } from './run-berth.ts';

let folder = '';
let plain: SpawnedRegistry;
let secure: SpawnedRegistry;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-connection-'));
  const settings = { logLevel: 'silent' };
  [plain, secure] = await Promise.all([
    spawnRegistry({ dataDir: join(folder, 'plain'), settings }),
    spawnRegistry({ dataDir: join(folder, 'secure'), settings: { ...settings, tls: 'auto' } }),
  ]);
});
after(async () => {
  await Promise.all([plain.stop(), secure.stop()]);
  await rm(folder, { recursive: true });
});

const credentials = ({ username, password }: SpawnedRegistry) => ({ BERTH_USERNAME: username, BERTH_PASSWORD: password });

async function newFolder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(folder, 'work-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

/** What it prints when it fails: one sentence, one next step, nothing else. */
async function failure(
  args: readonly string[],
  options: Parameters<typeof runBerth>[1] = {},
): Promise<{ why: string; next: string }> {
  const { code, stdout, stderr } = await runBerth(args, options);
  assert.deepEqual([code, stdout], [1, ''], stderr);
  const [, why = '', next = ''] = /^berth: ([^\n]+)\.\nNext: ([^\n]+)\.\n$/.exec(stderr) ?? assert.fail(stderr);
  return { why, next };
}

test('finds the server by the environment, with a scheme or without', async () => {
  for (const address of [plain.url, plain.host]) {
    const { code, stdout } = await runBerth(['status'], { env: { BERTH_SERVER: address, ...credentials(plain) } });
    assert.deepEqual([code, stdout], [0, `${plain.url} is ready.\n`]);
  }
});

test('finds a server of this machine by its data folder, over TLS too, and in the folder where it is started', async (t) => {
  for (const server of [plain, secure]) {
    for (const run of [
      runBerth(['--data', server.dataDir, 'status']),
      runBerth(['status'], { env: { BERTH_DATA: server.dataDir } }),
    ])
      assert.equal((await run).stdout, `${server.url.replace('127.0.0.1', new URL(server.url).hostname)} is ready.\n`);
  }
  const cwd = await newFolder(t);
  await symlink(plain.dataDir, join(cwd, 'data'));
  assert.equal((await runBerth(['status'], { cwd })).code, 0);
});

test('trusts the authority that --ca names, and says so when it needs one', async () => {
  const env = { BERTH_SERVER: secure.url, ...credentials(secure) };
  assert.equal((await runBerth(['--ca', join(secure.dataDir, 'tls', 'authority.pem'), 'status'], { env })).code, 0);
  const { why, next } = await failure(['status'], { env });
  assert.ok(why.startsWith(`${secure.url} does not answer: `), why);
  assert.match(next, /--ca/);
  assert.match((await failure(['--ca', join(folder, 'none.pem'), 'status'], { env })).why, /none\.pem cannot be read$/);
});

test('tells http and https apart', async () => {
  const wrong = [
    { BERTH_SERVER: `http://${secure.host}`, ...credentials(secure) },
    { BERTH_SERVER: `https://${plain.host}`, ...credentials(plain) },
  ];
  for (const env of wrong)
    assert.match((await failure(['status'], { env })).next, /BERTH_SERVER with https:\/\/, otherwise with http:\/\//);
});

test('says what is missing before it asks anybody', async (t) => {
  const cwd = await newFolder(t);
  assert.deepEqual(await failure(['status'], { cwd }), {
    why: 'it is not known which server to ask',
    next: 'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of a server on this machine with --data',
  });
  assert.match((await failure(['--data', cwd, 'status'])).why, /first-run\.json cannot be read$/);
  await writeFile(join(cwd, 'first-run.json'), '{ "username": "local" }');
  assert.match((await failure(['--data', cwd, 'status'])).why, /first-run\.json is not complete$/);
  await writeFile(join(cwd, 'first-run.json'), 'not JSON');
  assert.match((await failure(['--data', cwd, 'status'])).why, /first-run\.json cannot be read$/);
  const env = { BERTH_SERVER: 'http://:::', ...credentials(plain) };
  assert.match((await failure(['status'], { env })).why, /"http:\/\/:::" is no address of a server$/);
});

test('a wrong password is refused with where it came from, and not shown', async (t) => {
  const env = { BERTH_SERVER: plain.url, BERTH_USERNAME: plain.username, BERTH_PASSWORD: 'wrong-secret' };
  const { why, next } = await failure(['gc'], { env });
  assert.match(next, /the password in BERTH_PASSWORD/);
  assert.ok(!`${why}${next}`.includes('wrong-secret'));
  const data = join(await newFolder(t), 'data');
  await mkdir(data);
  const first = JSON.parse(await readFile(join(plain.dataDir, 'first-run.json'), 'utf8')) as object;
  await writeFile(join(data, 'first-run.json'), JSON.stringify({ ...first, password: 'wrong-secret' }));
  assert.ok((await failure(['--data', data, 'gc'])).next.includes(join(data, 'first-run.json')));
});

test('nobody there, and somebody else there, are told apart', async (t) => {
  const page: Server = createServer((_request, response) => response.end('<html>hello</html>'));
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  const env = { BERTH_SERVER: `127.0.0.1:${(page.address() as AddressInfo).port}`, ...credentials(plain) };
  t.after(() => page.close());
  assert.match((await failure(['status'], { env })).why, /is no Berth server$/);
  page.close();
  await once(page, 'close');
  assert.match((await failure(['status'], { env })).why, /does not answer: .*ECONNREFUSED/);
});

test('serve runs the server until it is told to stop', async (t) => {
  const program = fileURLToPath(new URL('../../packages/cli/bin/berth.js', import.meta.url));
  const data = join(await newFolder(t), 'served');
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [program, 'serve', '--data', data, '--host', '127.0.0.1', '--port', '0'], {
    env: { PATH, HOME, BERTH_LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let greeting = '';
  for await (const line of createInterface(child.stdout)) {
    greeting += `${line}\n`;
    if (/docker login/.test(line)) break;
  }
  assert.match(greeting, /http:\/\/127\.0\.0\.1:\d+/);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill('SIGTERM');
  assert.equal((await exited)[0], 0);
});
