import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { type TestAnswer, type TestCatalog, bytesOf, image, index, openTestCatalog } from './test-catalog.ts';

const disallowed = 'REGISTRY_DISALLOWED_OPERATION';
const isOutside = (need: Need): boolean => need.type !== 'repository' || !need.action.startsWith('quarantine_');

/** How a pull by somebody without `quarantine_read` ends. */
async function pull(registry: TestCatalog, reference: string, operation = 'get-manifest'): Promise<string> {
  const answer = await registry.ask(operation, { name: 'a', reference, permits: isOutside });
  return `${answer.status} ${answer.error ?? 'ok'}`;
}

function decide(registry: TestCatalog, digest: string, change: object, permits?: (need: Need) => boolean): Promise<TestAnswer> {
  return registry.ask('acr-update-manifest', { name: 'a', digest, body: bytesOf(change), ...(permits && { permits }) });
}

function attributesIn(answer: TestAnswer): Record<string, unknown> {
  assert.equal(answer.status, 200, answer.message);
  return (answer.json as { manifest: { changeableAttributes: Record<string, unknown> } }).manifest.changeableAttributes;
}

async function withImage(registry: TestCatalog): Promise<string> {
  await registry.pushBlob('a', 'config');
  return registry.push('a', image('config'), 'v1');
}

forEachEngine((engine) => {
  test('what is in quarantine is absent by tag and refused by digest until it has passed', async (t) => {
    const registry = (await openTestCatalog(engine, t)).withPolicies({ isQuarantineEnabled: true });
    const digest = await withImage(registry);
    for (const operation of ['get-manifest', 'head-manifest']) {
      assert.equal(await pull(registry, 'v1', operation), '404 MANIFEST_UNKNOWN');
      assert.equal(await pull(registry, digest, operation), `405 ${disallowed}`);
    }
    // Not even to somebody who knows its digest and asks whether it has changed.
    const known = { name: 'a', reference: digest, headers: { 'if-none-match': `"${digest}"` }, permits: isOutside };
    assert.equal((await registry.ask('get-manifest', known)).status, 405);
    // Scanners see it.
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: 'v1' })).status, 200);
    const details = JSON.stringify({ state: 'scan failed', scanner: 'x' });
    const failed = attributesIn(await decide(registry, digest, { quarantineState: 'Failed', quarantineDetails: details }));
    assert.deepEqual([failed['quarantineState'], failed['quarantineDetails']], ['Failed', details]);
    assert.equal(await pull(registry, digest), `405 ${disallowed}`);
    const passed = attributesIn(await decide(registry, digest, { quarantineState: 'Passed' }));
    assert.deepEqual([passed['quarantineState'], passed['quarantineDetails']], ['Passed', details]);
    for (const reference of ['v1', digest]) assert.equal(await pull(registry, reference), '200 ok');
  });

  test('images from before are blocked, too, unless they have passed; off, everything can be pulled', async (t) => {
    const off = await openTestCatalog(engine, t);
    const on = off.withPolicies({ isQuarantineEnabled: true });
    const digest = await withImage(off);
    const shown = async (registry: TestCatalog) =>
      attributesIn(await registry.ask('acr-get-manifest', { name: 'a', digest }))['quarantineState'];
    assert.equal(await shown(off), undefined);
    assert.equal(await pull(off, 'v1'), '200 ok');
    assert.equal(await shown(on), 'Quarantined');
    assert.equal(await pull(on, digest), `405 ${disallowed}`);
    await decide(on, digest, { quarantineState: 'Failed' });
    assert.equal(await pull(off, digest), '200 ok');
    await decide(off, digest, { quarantineState: 'Passed' });
    assert.equal(await pull(on, 'v1'), '200 ok');
  });

  test('a push neither passes an image nor blocks it again; deleted and pushed anew it is another one', async (t) => {
    const registry = (await openTestCatalog(engine, t)).withPolicies({ isQuarantineEnabled: true });
    const digest = await withImage(registry);
    await registry.push('a', image('config'), 'v2');
    assert.equal(await pull(registry, 'v2'), '404 MANIFEST_UNKNOWN');
    await decide(registry, digest, { quarantineState: 'Passed' });
    await registry.push('a', image('config'), 'v3');
    assert.equal(await pull(registry, 'v3'), '200 ok');
    await registry.ask('delete-manifest', { name: 'a', reference: digest });
    await registry.push('a', image('config'), 'v1');
    assert.equal(await pull(registry, 'v1'), '404 MANIFEST_UNKNOWN');
  });

  test('an index that has passed does not take its images out with it', async (t) => {
    const registry = (await openTestCatalog(engine, t)).withPolicies({ isQuarantineEnabled: true });
    const child = await withImage(registry);
    const parent = await registry.push('a', index([image('config')]), 'all');
    await decide(registry, parent, { quarantineState: 'Passed' });
    assert.equal(await pull(registry, 'all'), '200 ok');
    assert.equal(await pull(registry, child), `405 ${disallowed}`);
  });

  test('only who may write to the quarantine decides, and only what fits is kept', async (t) => {
    const registry = (await openTestCatalog(engine, t)).withPolicies({ isQuarantineEnabled: true });
    const digest = await withImage(registry);
    for (const change of [
      { quarantineState: 'Passed' },
      { quarantineDetails: '{}' },
      { quarantineState: 'Passed', readEnabled: true },
    ])
      assert.equal((await decide(registry, digest, change, isOutside)).error, 'DENIED');
    // Locks need no such right.
    assert.equal(attributesIn(await decide(registry, digest, { writeEnabled: false }, isOutside))['writeEnabled'], false);
    const long = JSON.stringify('x'.repeat(16 * 1024 - 1));
    for (const change of [{ quarantineState: 'Quarantined' }, { quarantineDetails: 'text' }, { quarantineDetails: long }])
      assert.equal((await decide(registry, digest, change)).error, 'REQUEST_INVALID');
    for (const operation of ['acr-update-repository', 'acr-update-tag']) {
      const body = bytesOf({ quarantineState: 'Passed' });
      assert.equal((await registry.ask(operation, { name: 'a', reference: 'v1', body })).error, 'REQUEST_INVALID');
    }
    assert.equal(await pull(registry, digest), `405 ${disallowed}`);
  });
});
