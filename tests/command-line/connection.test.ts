import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { type StartedRegistry, startRegistry } from '@berth/testkit';
import { failed, runBerth, succeeded } from './run-berth.ts';

let plain: StartedRegistry;
let secure: StartedRegistry;
let authority = '';

before(async () => {
  [plain, secure] = await Promise.all([startRegistry(), startRegistry({ settings: { tls: 'auto' } })]);
  authority = join(secure.dataDir, 'tls', 'authority.pem');
});
after(() => Promise.all([plain.stop(), secure.stop()]));

const credentials = ({ username, password }: StartedRegistry) => ({ BERTH_USERNAME: username, BERTH_PASSWORD: password });
const readyText = ({ url }: StartedRegistry): string => `${url} is ready.\n`;

async function newFolder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'berth-connection-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

/** A working folder with the data folder of a server in it. */
async function besideDataOf(t: TestContext, { dataDir }: StartedRegistry): Promise<string> {
  const cwd = await newFolder(t);
  await symlink(dataDir, join(cwd, 'data'));
  return cwd;
}

test('finds the server by the environment, with a scheme or without', async () => {
  for (const address of [plain.url, plain.host, `${plain.url}/`, `HTTP://${plain.host}`]) {
    const env = { BERTH_SERVER: address, ...credentials(plain) };
    assert.equal(succeeded(await runBerth(['status'], { env })), readyText(plain), address);
  }
});

test('signs in as the user of BERTH_USERNAME, or as local when it is not set', async () => {
  const env = { BERTH_SERVER: plain.url, BERTH_PASSWORD: plain.password };
  for (const username of [{}, { BERTH_USERNAME: '' }, { BERTH_USERNAME: plain.username }])
    succeeded(await runBerth(['gc'], { env: { ...env, ...username } }));
  for (const args of [['gc'], ['gc', '--data', plain.dataDir]])
    failed(await runBerth(args, { env: { ...env, BERTH_USERNAME: 'somebody' } }));
});

test('finds a server of this machine by its data folder, whether that is an option or BERTH_DATA, over TLS too', async () => {
  for (const server of [plain, secure]) {
    for (const run of [
      runBerth(['--data', server.dataDir, 'status']),
      runBerth(['status', '--data', server.dataDir]),
      runBerth(['status'], { env: { BERTH_DATA: server.dataDir } }),
    ])
      assert.equal(succeeded(await run), readyText(server));
    succeeded(await runBerth(['--data', server.dataDir, 'gc']));
  }
});

test('finds the server whose data folder lies where it is started', async (t) => {
  const cwd = await besideDataOf(t, plain);
  assert.equal(succeeded(await runBerth(['status'], { cwd })), readyText(plain));
  succeeded(await runBerth(['gc'], { cwd, env: { BERTH_SERVER: '', BERTH_PASSWORD: '', BERTH_DATA: '' } }));
});

test('asks the server of the environment before the one whose folder lies here, and that of --data before both', async (t) => {
  const cwd = await besideDataOf(t, secure);
  const env = { BERTH_SERVER: plain.url, ...credentials(plain) };
  assert.equal(succeeded(await runBerth(['status'], { cwd, env })), readyText(plain));
  const elsewhere = { BERTH_DATA: plain.dataDir };
  assert.equal(succeeded(await runBerth(['status', '--data', 'data'], { cwd, env: elsewhere })), readyText(secure));
});

test('gives the password of a folder that lies here to no other server', async (t) => {
  const cwd = await besideDataOf(t, secure);
  assert.deepEqual(failed(await runBerth(['gc'], { cwd, env: { BERTH_SERVER: plain.url } })), {
    why: 'BERTH_SERVER is set, but BERTH_PASSWORD is not',
    next: 'set BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of that server with --data',
  });
});

test('takes from the environment what the named data folder has wrong', async (t) => {
  const data = await newFolder(t);
  const { username, password, host } = plain;
  await writeFile(join(data, 'first-run.json'), JSON.stringify({ loginServer: '127.0.0.1:1', username, password }));
  succeeded(await runBerth(['--data', data, 'gc'], { env: { BERTH_SERVER: host } }));
  await writeFile(join(data, 'first-run.json'), JSON.stringify({ loginServer: host, username, password: 'the one before' }));
  succeeded(await runBerth(['--data', data, 'gc'], { env: { BERTH_PASSWORD: password } }));
});

test('trusts the authority that --ca names, and then means https when no scheme is said', async () => {
  for (const address of [secure.url, secure.host]) {
    const env = { BERTH_SERVER: address, ...credentials(secure) };
    assert.equal(succeeded(await runBerth(['--ca', authority, 'status'], { env })), readyText(secure));
  }
});

test('trusts what Node.js is told to trust beside --ca', async (t) => {
  const other = join(await newFolder(t), 'other.pem');
  await writeFile(other, rootCertificates[0] ?? '');
  const env = { BERTH_SERVER: secure.url, ...credentials(secure), NODE_EXTRA_CA_CERTS: authority };
  assert.equal(succeeded(await runBerth(['--ca', other, 'status'], { env })), readyText(secure));
});
