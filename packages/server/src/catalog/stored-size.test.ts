import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { foldStored, storedIn } from '../platform/stored-bytes/index.ts';
import { expireDeleted } from './bin/expire-deleted.ts';
import { type TestCatalog, digestOf, garbageDelayMs, openTestCatalog } from './test-catalog.ts';
import { assertSizeIsExact } from './test-size.ts';
import { setProperties } from './test-transactions.ts';

const dayMs = 86_400_000;
const softDeleteDays = 5;
const names = ['a', 'b'];
const layers = ['one', 'two'];
const steps = ['push', 'delete', 'untag', 'delete-repository', 'restore', 'purge', 'expire', 'collect', 'fold'] as const;
/** What the others need before they do anything. */
const often = ['push', 'push', 'delete', 'delete', 'restore', 'purge'] as const;

type Step = { readonly what: (typeof steps)[number]; readonly name: string; readonly layer: string };

function manifestOf(layer: string): object {
  const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(layer), size: layer.length };
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor,
    layers: [],
    annotations: { padding: layer.repeat(7) },
  };
}

async function take(catalog: TestCatalog, { what, name, layer }: Step): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(manifestOf(layer)));
  const digest = digestOf(bytes);
  switch (what) {
    case 'push':
      await catalog.pushBlob(name, layer);
      await catalog.push(name, bytes, layer);
      break;
    case 'delete':
      await catalog.ask('delete-manifest', { name, reference: digest });
      break;
    case 'untag':
      await catalog.ask('acr-delete-tag', { name, reference: layer });
      break;
    case 'delete-repository':
      await catalog.ask('delete-repository', { name });
      break;
    case 'restore':
      await catalog.ask('acr-restore-manifest', { name, digest, body: Buffer.from('{}') });
      break;
    case 'purge':
      await catalog.ask('acr-purge-manifest', { name, digest });
      break;
    case 'expire':
      catalog.clock.time += (softDeleteDays + 1) * dayMs;
      await expireDeleted(catalog, [catalog.registry], new AbortController().signal);
      break;
    case 'collect':
      catalog.clock.time += 2 * garbageDelayMs;
      await catalog.collect();
      break;
    case 'fold':
      await catalog.database.write(foldStored, {});
  }
}

/** A registry that keeps what is deleted for some days, or not. */
async function openRegistry(first: TestCatalog, isSoft: boolean): Promise<TestCatalog> {
  const catalog = await first.otherRegistry();
  if (!isSoft) return catalog;
  const properties = JSON.stringify({
    policies: { softDeletePolicy: { status: 'enabled', retentionDays: softDeleteDays } },
  });
  await catalog.database.write(setProperties, { id: catalog.registry.id, properties });
  return catalog.withPolicies({ softDeleteDays });
}

const isLong = process.env['BERTH_LONG'] === '1';

forEachEngine((engine) => {
  test('the size is what a recount finds after whatever happened, the bin included', async (t) => {
    const first = await openTestCatalog(engine, t);
    const step = fc.record({
      what: fc.constantFrom(...steps, ...often),
      name: fc.constantFrom(...names),
      layer: fc.constantFrom(...layers),
    });
    const run = fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 20, maxLength: 40 }), async (isSoft, taken) => {
      const catalog = await openRegistry(first, isSoft);
      for (const each of taken) {
        await take(catalog, each);
        await assertSizeIsExact(catalog);
      }
      for (const name of names) await take(catalog, { what: 'delete-repository', name, layer: '' });
      for (const what of ['expire', 'collect', 'collect', 'fold'] as const) await take(catalog, { what, name: '', layer: '' });
      assert.deepEqual(await storedIn(catalog.database.read, catalog.registry.id), { bytes: 0, blobs: 0 });
    });
    const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 1_000_000_007);
    t.diagnostic(`seed ${seed} (set BERTH_SEED to run it again)`);
    await fc.assert(run, { seed, numRuns: isLong ? 200 : engine.name === 'sqlite' ? 30 : 10, endOnFailure: true });
    assert.deepEqual(first.logged, []);
  });
});
