import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RegistryClient, randomImage, startRegistry } from '@berth/testkit';
import { openDatabase } from '../platform/database/index.ts';
import { findRegistry, updateRegistry } from '../registries/index.ts';

/** Sets the retention policy of a stopped registry, as the resource manager would. */
async function setRetention(dataDir: string, days: number): Promise<void> {
  const transactionsModule = new URL('../transactions.ts', import.meta.url);
  const database = await openDatabase({ location: { file: join(dataDir, 'berth.db') }, transactionsModule, now: Date.now() });
  try {
    const known = await findRegistry(database.read, 'local');
    assert.ok(known !== undefined);
    const properties = { policies: { retentionPolicy: { days, status: 'enabled' as const } } };
    await database.write(updateRegistry, { ...known, properties, by: 'test', now: Date.now() });
  } finally {
    await database.close();
  }
}

async function startWithRetention(t: TestContext, days: number) {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-retention-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startRegistry({ dataDir });
  await first.stop();
  await setRetention(dataDir, days);
  const registry = await startRegistry({ dataDir });
  t.after(() => registry.stop());
  const client = new RegistryClient(registry);
  t.after(() => client[Symbol.dispose]());
  return client;
}

test('with 0 days a running server deletes what lost its last tag: by a push, a delete or an untag, without waiting for its round', async (t) => {
  const client = await startWithRetention(t, 0);
  const images = [1, 2, 3].map(() => randomImage({ layerBytes: 1000 }));
  const losing = [
    async () => client.pushImage('app', randomImage({ layerBytes: 1000 }), 'v0'),
    async () => client.request('DELETE', '/v2/app/manifests/v1'),
    async () => client.request('DELETE', '/acr/v1/app/_tags/v2'),
  ];
  for (const [at, image] of images.entries()) {
    await client.pushImage('app', image, `v${at}`);
    await losing[at]?.();
    const path = `/v2/app/manifests/${image.manifest.digest}`;
    let status = 200;
    // The round comes within moments; a test that would wait for the next one runs into its limit.
    for (let tries = 0; status !== 404 && tries < 2000; tries += 1) ({ status } = await client.request('HEAD', path));
    assert.equal(status, 404, `the manifest that lost v${at}`);
  }
});
