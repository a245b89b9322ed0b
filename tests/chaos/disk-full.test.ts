import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RegistryClient, randomBytesOf, randomImage, spawnRegistry } from '@berth/testkit';

const volumeMiB = 48;

/** A volume of its own that can be filled; undefined where this user may not mount one. */
function mountVolume(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'berth-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${volumeMiB}m`, 'berth-test', folder]);
  if (mounted.status !== 0) rmSync(folder, { recursive: true });
  return mounted.status === 0 ? folder : undefined;
}

const volume = mountVolume();
after(() => {
  if (volume === undefined) return;
  spawnSync('umount', [volume]);
  rmSync(volume, { recursive: true });
});

test('attack 41: a full disk is told, loses nothing, and is forgotten when there is space again', {
  skip: volume === undefined && 'no volume can be mounted here',
}, async (t) => {
  const dataDir = volume ?? '';
  const server = await spawnRegistry({ dataDir, settings: { logLevel: 'silent' } });
  t.after(() => server.kill());
  using client = new RegistryClient(server);
  const before = randomImage({ layerBytes: 200_000 });
  await client.pushImage('full/image', before, 'before');

  const filler = join(dataDir, 'filler');
  await fill(filler);
  const refused = await pushStatuses(client, randomBytesOf(2_000_000));
  const { status, message } = refused.at(-1) ?? { status: 0, message: '' };
  assert.equal(status, 507, JSON.stringify(refused));
  assert.match(message, /no space left/);

  assert.deepEqual(await client.pull('full/image', 'manifests', 'before'), before.manifest.bytes);
  for (const { digest, bytes } of before.layers) assert.deepEqual(await client.pull('full/image', 'blobs', digest), bytes);
  assert.equal((await client.request('GET', '/v2/full/image/tags/list')).status, 200);
  assert.equal((await client.request('GET', '/healthz')).status, 200);

  await rm(filler);
  const later = randomImage({ layerBytes: 2_000_000 });
  await client.pushImage('full/image', later, 'later');
  for (const { digest, bytes } of later.layers) assert.deepEqual(await client.pull('full/image', 'blobs', digest), bytes);
  assert.equal((await client.request('GET', '/readyz')).status, 200);
  assert.equal(await server.stop(), 0);
});

test('attack 41: a start on a full disk is refused in one sentence', {
  skip: volume === undefined && 'no volume can be mounted here',
}, async () => {
  const filler = join(volume ?? '', 'filler');
  await fill(filler);
  try {
    const starting = spawnRegistry({ dataDir: join(volume ?? '', 'new') });
    await assert.rejects(starting, /berth does not start: [^\n]*no space left[^\n]*\.\nNext: [^\n]+\.\n/);
  } finally {
    await rm(filler);
  }
});

/** Takes every byte that is free. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const size of [1024 * 1024, 4096, 1]) {
      const chunk = Buffer.alloc(size);
      try {
        for (;;) await file.write(chunk);
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC', String(error));
      }
    }
  } finally {
    await file.close();
  }
}

/** What a client is told, step by step, until it is refused. */
async function pushStatuses(client: RegistryClient, bytes: Buffer): Promise<readonly { status: number; message: string }[]> {
  const seen: { status: number; message: string }[] = [];
  let path = '/v2/full/image/blobs/uploads/';
  for (const [method, body] of [
    ['POST', undefined],
    ['PATCH', bytes],
  ] as const) {
    const answer = await client.request(method, path, body === undefined ? {} : { body });
    seen.push({ status: answer.status, message: answer.body.toString() });
    if (answer.status >= 400) break;
    path = answer.headers.location ?? path;
  }
  return seen;
}
