import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RegistryClient, type SpawnedRegistry, randomImage, spawnRegistry } from '@berth/testkit';
import { type BerthRun, runBerth } from './run-berth.ts';

let dataDir = '';
let server: SpawnedRegistry;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'berth-command-'));
  server = await spawnRegistry({ dataDir, settings: { logLevel: 'silent', garbageDelay: '0s' } });
});
after(async () => {
  await server.stop();
  await rm(dataDir, { recursive: true });
});

const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', dataDir, ...args]);

function succeeded({ code, stdout, stderr }: BerthRun): string {
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout);
  return stdout;
}

test('says what it can do', async () => {
  const help = succeeded(await runBerth(['--help']));
  for (const command of ['serve', 'status', 'keys', 'scrub', 'gc', 'passwords'])
    assert.match(help, new RegExp(`\\n  ${command} `));
  assert.match(succeeded(await runBerth(['--version'])), /^\d+\.\d+\.\d+\n$/);
  assert.match(succeeded(await runBerth(['serve', '--help'])), /--tls/);
});

test('refuses what it does not know and says where help is', async () => {
  for (const args of [['statsu'], ['status', '--quick'], ['keys', 'turn'], ['passwords', 'regenerate']]) {
    const { code, stderr } = await berth(...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, /^error: .+\n(?:\(Did you mean .+\)\n)?\(berth --help lists the commands\)/, args.join(' '));
  }
});

test('status says that the server is ready', async () => {
  assert.equal(succeeded(await berth('status')), `${server.url} is ready.\n`);
  assert.deepEqual(JSON.parse(succeeded(await berth('--json', 'status'))), { status: 'ready' });
});

test('keys rotate makes another wrapping key, or another data key, and everything opens as before', async () => {
  using client = new RegistryClient(server);
  const image = randomImage({ layerBytes: 50_000 });
  await client.pushImage('keys/image', image, 'v1');
  assert.match(
    succeeded(await berth('keys', 'rotate')),
    /^The wrapping key is now \S+; [1-9]\d* keys were wrapped anew\. Back the key file up/,
  );
  assert.match(succeeded(await berth('keys', 'rotate', '--data-key')), /^New content is sealed with the data key \S+;/);
  assert.deepEqual(await client.pull('keys/image', 'manifests', 'v1'), image.manifest.bytes);
  for (const { digest, bytes } of image.layers) assert.deepEqual(await client.pull('keys/image', 'blobs', digest), bytes);
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

test('scrub names damage, by its exit code too, and none when there is none', async () => {
  using client = new RegistryClient(server);
  const image = randomImage({ layerBytes: 50_000 });
  await client.pushImage('scrub/image', image, 'v1');
  assert.match(
    succeeded(await berth('scrub', '--wait', '--pace', '1GiB')),
    /^Scrub finished: \d+ parts .* opened\. No damage is known\.\n$/,
  );
  const parts = join(dataDir, 'parts');
  const files = (await readdir(parts, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const file of files) await truncate(join(file.parentPath, file.name), 60);
  const found = await berth('scrub', '--wait');
  assert.equal(found.code, 2);
  assert.match(found.stdout, /^Scrub finished: [^\n]+\.\nDamaged \(push the content again to mend it\):\n/);
  assert.ok(found.stdout.includes(image.layers[0]?.digest ?? 'a layer'), found.stdout);
  assert.equal((await berth('scrub', '--status')).code, 2);
  const refused = await berth('scrub', '--pace', 'fast');
  assert.deepEqual(
    [refused.code, refused.stderr],
    [1, 'berth: "fast" is no pace.\nNext: write bytes per second, such as 50MiB.\n'],
  );
});

test('passwords regenerate replaces one of the two, and says so when the old one is used', async () => {
  const first = JSON.parse(succeeded(await berth('--json', 'passwords', 'regenerate', 'password2'))) as {
    username: string;
    value: string;
  };
  const env = { BERTH_SERVER: server.host, BERTH_USERNAME: first.username, BERTH_PASSWORD: first.value };
  const { stdout } = await runBerth(['passwords', 'regenerate', 'password2'], { env });
  const second = /^password2 of \w+ is now (\S+)\nIt is shown only this once\./.exec(stdout)?.[1] ?? '';
  const refused = await runBerth(['gc'], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /wrong\.\nNext: check the password in BERTH_PASSWORD; /);
  assert.ok(!refused.stderr.includes(first.value));
  succeeded(await runBerth(['gc'], { env: { ...env, BERTH_PASSWORD: second } }));
  const unknown = await berth('passwords', 'regenerate', 'third');
  assert.deepEqual([unknown.code, unknown.stderr.split('\n')[0]], [1, 'berth: there is no password "third".']);
});
