import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';
import { RegistryClient, type StartedRegistry, randomImage, startRegistry } from '@berth/testkit';
import { type BerthRun, failed, runBerth, succeeded } from './run-berth.ts';

let server: StartedRegistry;

before(async () => {
  server = await startRegistry({ settings: { garbageDelay: '0s' } });
});
after(() => server.stop());

const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', server.dataDir, ...args]);

async function startOwnServer(t: TestContext): Promise<StartedRegistry> {
  const own = await startRegistry();
  t.after(() => own.stop());
  return own;
}

test('status says that the server is ready', async () => {
  assert.equal(succeeded(await berth('status')), `${server.url} is ready.\n`);
  assert.deepEqual(JSON.parse(succeeded(await berth('--json', 'status'))), { status: 'ready' });
});

test('keys rotate makes another wrapping key, with which everything opens as before, after a restart too', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-command-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const image = randomImage({ layerBytes: 50_000 });
  const first = await startRegistry({ dataDir });
  using client = new RegistryClient(first);
  await client.pushImage('keys/image', image, 'v1');
  const told = succeeded(await runBerth(['--data', dataDir, 'keys', 'rotate']));
  const [, id = ''] =
    /^The wrapping key is now (\S+); [1-9]\d* keys were wrapped anew\. Back the key file up again: [^\n]+\.\n$/.exec(told) ??
    assert.fail(told);
  assert.ok((await readFile(join(dataDir, 'keys', 'wrapping-keys.json'), 'utf8')).includes(id));
  await first.stop();
  const second = await startRegistry({ dataDir });
  t.after(() => second.stop());
  using again = new RegistryClient(second);
  assert.deepEqual(await again.pull('keys/image', 'manifests', 'v1'), image.manifest.bytes);
  for (const { digest, bytes } of image.layers) assert.deepEqual(await again.pull('keys/image', 'blobs', digest), bytes);
});

test('keys rotate --data-key seals what comes with another key, and leaves what is there', async () => {
  using client = new RegistryClient(server);
  const images = [randomImage({ layerBytes: 50_000 }), randomImage({ layerBytes: 50_000 })] as const;
  await client.pushImage('keys/before', images[0], 'v1');
  assert.match(
    succeeded(await berth('keys', 'rotate', '--data-key')),
    /^New content is sealed with the data key \S+; what is stored stays readable with the keys it has\.\n$/,
  );
  await client.pushImage('keys/after', images[1], 'v1');
  for (const [name, image] of [['keys/before', images[0]] as const, ['keys/after', images[1]] as const])
    for (const { digest, bytes } of image.layers) assert.deepEqual(await client.pull(name, 'blobs', digest), bytes);
  const { key, rewrapped } = JSON.parse(succeeded(await berth('--json', 'keys', 'rotate', '--data-key'))) as {
    key: string;
    rewrapped: number;
  };
  assert.deepEqual({ key, rewrapped }, { key: 'data', rewrapped: 0 });
});

test('gc frees what nobody needs', async () => {
  using client = new RegistryClient(server);
  const image = randomImage({ layerBytes: 50_000 });
  await client.pushImage('gc/image', image, 'v1');
  await client.request('DELETE', `/v2/gc/image/manifests/${image.manifest.digest}`);
  // Links, blobs and parts come one after the other, and a round may find only the first.
  let deleted = 0;
  for (let round = 0; round < 5; round += 1)
    deleted += (JSON.parse(succeeded(await berth('--json', 'gc'))) as { partsDeleted: number }).partsDeleted;
  assert.ok(deleted >= image.layers.length + 1, `${deleted} parts were deleted`);
  assert.match(succeeded(await berth('gc')), /^\d+ parts deleted, \d+ candidates settled, \d+ still due\.\n$/);
});

test('passwords regenerate shows the new password; the old one ends, and the refusal names the file that holds it', async (t) => {
  const { dataDir, host } = await startOwnServer(t);
  const told = succeeded(await runBerth(['--data', dataDir, 'passwords', 'regenerate', 'password']));
  const [, value = ''] = /^password of local is now (\S+)\nIt is shown only this once\. /.exec(told) ?? assert.fail(told);
  assert.deepEqual(failed(await runBerth(['--data', dataDir, 'gc'])), {
    why: 'the user name or the password is wrong',
    next: `check the password in ${join(dataDir, 'first-run.json')}; if it was replaced since, set BERTH_PASSWORD`,
  });
  succeeded(await runBerth(['--data', dataDir, 'gc'], { env: { BERTH_PASSWORD: value } }));
  succeeded(await runBerth(['gc'], { env: { BERTH_SERVER: host, BERTH_PASSWORD: value } }));
});

test('passwords regenerate password2 leaves the first password, and replaces the one that signs in', async (t) => {
  const { dataDir, host } = await startOwnServer(t);
  const shown = succeeded(await runBerth(['--data', dataDir, '--json', 'passwords', 'regenerate', 'password2']));
  const { username, name, value } = JSON.parse(shown) as { username: string; name: string; value: string };
  assert.deepEqual({ username, name }, { username: 'local', name: 'password2' });
  succeeded(await runBerth(['--data', dataDir, 'gc']));
  const env = { BERTH_SERVER: host, BERTH_USERNAME: username, BERTH_PASSWORD: value };
  succeeded(await runBerth(['passwords', 'regenerate', 'password2'], { env }));
  assert.deepEqual(failed(await runBerth(['gc'], { env })), {
    why: 'the user name or the password is wrong',
    next: 'check the password in BERTH_PASSWORD',
  });
});

test('a password that the admin user does not have is refused', async () => {
  assert.deepEqual(failed(await berth('passwords', 'regenerate', 'third')), {
    why: 'there is no password "third"',
    next: 'the admin user has "password" and "password2"',
  });
});

test('no command shows the password that it signs in with', async (t) => {
  const { dataDir, password } = await startOwnServer(t);
  const commands = ['status', 'gc', 'scrub', 'scrub --status', 'keys rotate', 'keys rotate --data-key', '--json gc'];
  for (const command of [...commands, 'passwords regenerate password2', 'passwords regenerate password', 'gc']) {
    const { stdout, stderr } = await runBerth(['--data', dataDir, ...command.split(' ')]);
    assert.ok(!`${stdout}${stderr}`.includes(password), command);
  }
});
