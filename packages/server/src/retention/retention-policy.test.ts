import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { forEachEngine } from '@berth/testkit';
import { image, index } from '../catalog/test-catalog.ts';
import { CleanupRuns } from './cleanup-runs.ts';
import { enforcePolicy } from './enforce-policy.ts';
import { type TestRetention, dayMs, openTestRetention } from './test-retention.ts';

/** What a round of the policy deletes, set `since` (default: from the beginning). */
async function enforce(retention: TestRetention, t: TestContext, days: number, since = 0): Promise<number> {
  const registry = retention.registryWith({ retentionDays: days, retentionSince: since });
  const options = { signal: t.signal, pause: async () => undefined };
  return (await enforcePolicy(retention.context, registry, options)).manifestsRemoved;
}

forEachEngine((engine) => {
  test('a manifest goes so many days after its last tag was deleted or moved away', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { catalog } = retention;
    const [deleted, moved] = [await retention.pushImage('app', ['v1']), await retention.pushImage('app', ['latest'])];
    const never = await retention.pushImage('app', []);
    retention.days(100);
    await catalog.ask('delete-manifest', { name: 'app', reference: 'v1' });
    retention.days(1);
    const latest = await retention.pushImage('app', ['latest']);
    assert.equal(await enforce(retention, t, 7), 0);
    retention.days(6);
    assert.equal(await enforce(retention, t, 7), 1);
    assert.ok(!(await retention.has('app', deleted)) && (await retention.has('app', moved)));
    retention.days(1);
    assert.equal(await enforce(retention, t, 7), 1);
    retention.days(100);
    assert.equal(await enforce(retention, t, 7), 0);
    for (const digest of [never, latest]) assert.ok(await retention.has('app', digest), 'never untagged');
  });

  test('what became untagged before the policy was set is not its business', async (t) => {
    const retention = await openTestRetention(engine, t);
    const digests = [];
    for (const tag of ['v1', 'v2']) {
      digests.push(await retention.pushImage('app', [tag]));
      await retention.catalog.ask('delete-manifest', { name: 'app', reference: tag });
      retention.days(10);
    }
    assert.equal(await enforce(retention, t, 1, retention.catalog.clock.time - 15 * dayMs), 1);
    assert.deepEqual(await Promise.all(digests.map((digest) => retention.has('app', digest))), [true, false]);
  });

  test('pain 32: a manifest that was tagged again stays', async (t) => {
    const retention = await openTestRetention(engine, t);
    const digest = await retention.pushImage('app', ['v1'], { content: 'same' });
    await retention.catalog.ask('delete-manifest', { name: 'app', reference: 'v1' });
    retention.days(10);
    await retention.pushImage('app', ['v2'], { content: 'same' });
    assert.equal(await enforce(retention, t, 0), 0);
    assert.ok(await retention.has('app', digest));
  });

  test('attacks 17 and 18: locked manifests and those of locked repositories stay', async (t) => {
    const retention = await openTestRetention(engine, t);
    const locks = [{ deleteEnabled: false }, { writeEnabled: false }];
    const digests = [];
    for (const [at, flags] of locks.entries()) {
      const digest = await retention.pushImage('app', [`v${at}`]);
      await retention.catalog.ask('delete-manifest', { name: 'app', reference: `v${at}` });
      await retention.lock('app', { digest }, flags);
      digests.push(digest);
    }
    const inside = await retention.pushImage('closed', ['v1']);
    await retention.catalog.ask('delete-manifest', { name: 'closed', reference: 'v1' });
    await retention.lock('closed', {}, { writeEnabled: false });
    retention.days(1);
    assert.equal(await enforce(retention, t, 0), 0);
    for (const digest of digests) assert.ok(await retention.has('app', digest));
    assert.ok(await retention.has('closed', inside));
  });

  test('OCI and docker types alike; images go after their last index, signatures after their image, in one round', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { catalog } = retention;
    await catalog.pushBlob('app', 'config');
    const images = ['1', '2', '3'].map((number) => image('config', [], { annotations: { number } }));
    const [shared = {}, alone = {}, tagged = {}] = images;
    const [sharedDigest, aloneDigest] = [await catalog.push('app', shared), await catalog.push('app', alone)];
    const taggedDigest = await catalog.push('app', tagged, 'one');
    const staying = await catalog.push('app', index([shared]), 'keep');
    const going = await catalog.push('app', index(images), 'v1');
    const signature = await retention.pushImage('app', [], { subject: going });
    const ofImage = await retention.pushImage('app', [], { subject: aloneDigest });
    const docker = {
      ...image('config'),
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: aloneDigest, size: 1 },
      layers: [],
    };
    docker.config = { ...docker.config, ...(image('config') as { config: { digest: string; size: number } }).config };
    const dockerDigest = await catalog.push('app', docker, 'docker');
    for (const reference of ['v1', 'docker']) await catalog.ask('delete-manifest', { name: 'app', reference });
    retention.days(1);
    assert.equal(await enforce(retention, t, 1), 5);
    for (const digest of [going, aloneDigest, signature, ofImage, dockerDigest]) assert.ok(!(await retention.has('app', digest)));
    for (const digest of [staying, sharedDigest, taggedDigest]) assert.ok(await retention.has('app', digest));
    const marked = await catalog.database.read
      .selectFrom('manifests')
      .select('digest')
      .where('untagged_at', 'is not', null)
      .execute();
    assert.deepEqual(marked, [], 'what something else holds does not count as untagged');
  });

  test('each registry has its own policy', async (t) => {
    const retention = await openTestRetention(engine, t);
    await retention.pushImage('app', ['v1']);
    const digest = await retention.pushImage('app', []);
    await retention.catalog.ask('delete-manifest', { name: 'app', reference: 'v1' });
    const other = await retention.catalog.otherRegistry();
    const registry = { ...other.registry, policies: { ...other.registry.policies, retentionDays: 0 } };
    const removed = await enforcePolicy(retention.context, registry, { signal: t.signal, pause: async () => undefined });
    assert.equal(removed.manifestsRemoved, 0);
    const off = retention.registryWith({ retentionDays: undefined });
    assert.equal((await enforcePolicy(retention.context, off, { signal: t.signal, pause: async () => undefined })).examined, 0);
    assert.ok(await retention.has('app', digest));
  });

  test('with 0 days a manifest goes as soon as its last tag did, once the round is woken', async (t) => {
    const retention = await openTestRetention(engine, t);
    const digest = await retention.pushImage('app', ['v1']);
    const runs = new CleanupRuns(retention.context, t.signal);
    await retention.catalog.ask('delete-manifest', { name: 'app', reference: 'v1' });
    runs.wake(retention.registryWith({ retentionDays: 1 }));
    await runs.settled();
    assert.ok(await retention.has('app', digest), 'another policy waits for its time');
    const registry = retention.registryWith({ retentionDays: 0 });
    for (let count = 0; count < 100; count += 1) runs.wake(registry);
    await runs.settled();
    assert.ok(!(await retention.has('app', digest)));
  });
});
