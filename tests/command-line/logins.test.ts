import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';
import { type StartedRegistry, startRegistry } from '@berth/testkit';
import { type BerthRun, failed, runBerth, succeeded } from './run-berth.ts';
import { startBerth } from './start-berth.ts';

let server: StartedRegistry;
let other: StartedRegistry;

before(async () => {
  [server, other] = await Promise.all([startRegistry(), startRegistry()]);
});
after(() => Promise.all([server.stop(), other.stop()]));

async function newHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'berth-home-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  return home;
}

async function login(t: TestContext, home: string, { host, username, password }: StartedRegistry): Promise<BerthRun> {
  const args = ['login', host, '--username', username, '--password-stdin'];
  return startBerth(t, args, { env: { XDG_CONFIG_HOME: home }, input: `${password}\n` }).ended();
}

test('login keeps what signs in, for its owner alone; logout forgets it', async (t) => {
  const home = await newHome(t);
  const env = { XDG_CONFIG_HOME: home };
  const file = join(home, 'berth', 'logins.json');
  const told = succeeded(await login(t, home, server));
  assert.equal(told, `Signed in to ${server.host} as local; kept in ${file}, which only you may read.\n`);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  succeeded(await runBerth(['gc'], { env }));
  // Twice is once.
  succeeded(await login(t, home, server));
  assert.equal((JSON.parse(await readFile(file, 'utf8')) as { logins: unknown[] }).logins.length, 1);
  succeeded(await runBerth(['logout', server.host], { env }));
  assert.equal(failed(await runBerth(['gc'], { env })).why, 'it is not known which server to ask');
  const { code, stderr } = await runBerth(['logout', server.host], { env });
  assert.deepEqual([code, stderr.split('\n')[0]], [1, `berth: you are not signed in to ${server.host}.`]);
});

test('a wrong password is not kept', async (t) => {
  const home = await newHome(t);
  const refused = await login(t, home, { ...server, password: 'wrong-secret' });
  assert.deepEqual(failed(refused), {
    why: 'the user name or the password is wrong',
    next: 'check the password in what you gave',
  });
  await assert.rejects(stat(join(home, 'berth', 'logins.json')));
});

test('of several logins --registry or BERTH_SERVER names one', async (t) => {
  const home = await newHome(t);
  const env = { XDG_CONFIG_HOME: home };
  for (const each of [server, other]) succeeded(await login(t, home, each));
  assert.deepEqual(failed(await runBerth(['status'], { env })), {
    why: `you are signed in to several servers: ${server.host}, ${other.host}`,
    next: 'name one of them with --registry, or with BERTH_SERVER',
  });
  assert.equal(succeeded(await runBerth(['--registry', other.host, 'status'], { env })), `${other.url} is ready.\n`);
  succeeded(await runBerth(['gc', '--registry', other.host], { env }));
  succeeded(await runBerth(['gc'], { env: { ...env, BERTH_SERVER: server.host } }));
  assert.deepEqual(failed(await runBerth(['gc', '--registry', 'elsewhere.example'], { env })), {
    why: 'you are not signed in to elsewhere.example',
    next: 'berth login elsewhere.example --username NAME keeps a login for it',
  });
});

test('what is said by --data or by variables goes before what is kept, and its password goes nowhere else', async (t) => {
  const home = await newHome(t);
  succeeded(await login(t, home, other));
  const env = { XDG_CONFIG_HOME: home };
  const given = { ...env, BERTH_SERVER: server.host, BERTH_PASSWORD: server.password };
  assert.equal(succeeded(await runBerth(['status'], { env: given })), `${server.url} is ready.\n`);
  assert.equal(succeeded(await runBerth(['--data', server.dataDir, 'status'], { env })), `${server.url} is ready.\n`);
  // The one that is kept for this very server is used instead.
  succeeded(await runBerth(['gc', '--registry', other.host], { env: given }));
  assert.match(failed(await runBerth(['gc', '--registry', 'elsewhere.example'], { env: given })).why, /is none of http:/);
});

test('a name picks a registry of the deployment: its host is asked for by the name, where the server is', async () => {
  const env = { BERTH_SERVER: server.host, BERTH_PASSWORD: server.password };
  assert.equal(succeeded(await runBerth(['--registry', 'local', 'status'], { env })), `${server.url} is ready.\n`);
  const { port } = new URL(server.url);
  // It names no registry that there is, so that the server takes its own; what counts is that it was reached.
  assert.equal(
    succeeded(await runBerth(['--registry', 'team1', 'status'], { env })),
    `http://team1.localhost:${port} is ready.\n`,
  );
  const named = { ...env, BERTH_SERVER: `localhost:${port}` };
  assert.equal(
    succeeded(await runBerth(['--registry', 'team1', 'status'], { env: named })),
    `http://team1.localhost:${port} is ready.\n`,
  );
  assert.match(failed(await runBerth(['--registry', '-x', 'status'], { env })).why, /is no name of a registry/);
});
