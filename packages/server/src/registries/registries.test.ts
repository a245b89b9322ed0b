import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { distribution } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { NetworkGate } from '../http/network-rules.ts';
import { WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import {
  collectDeletedRegistries,
  deleteRegistry,
  ensureRegistry,
  findRegistry,
  firstRunFileName,
  openRegistries,
  removeFirstRun,
  updateRegistry,
  writeFirstRun,
} from './index.ts';
import { noteFacts } from './test-transactions.ts';

const clock = { now: () => 1_800_000_000_000 };

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-registries-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

forEachEngine((engine) => {
  test('what was noted of the content of a deleted registry goes, and nothing of the others', async (t) => {
    const transactionsModule = new URL('./test-transactions.ts', import.meta.url);
    const database = await engine.open(t, { transactionsModule });
    const made = { resourceGroup: 'berth', location: 'here', plan: 'Premium', isAnonymousPullEnabled: false } as const;
    const ids: number[] = [];
    for (const name of ['gone', 'stays']) {
      const { id } = await database.write(ensureRegistry, { name, ...made, tags: {}, properties: {}, by: '', now: 1 });
      ids.push(id);
      await database.write(noteFacts, { registryId: id, count: 2_500 });
    }
    await database.write(deleteRegistry, { id: ids[0] ?? 0, name: 'gone', now: 2 });
    await collectDeletedRegistries({ database, clock }, new AbortController().signal);
    for (const table of ['changes', 'registers'] as const) {
      const left = await database.read.selectFrom(table).select('registry_id').execute();
      assert.equal(left.length, 2_500, table);
      assert.ok(left.every(({ registry_id }) => registry_id === ids[1]));
    }
  });

  test('the default registry is made once, with its key; later starts find it', async (t) => {
    const database = await engine.open(t);
    const file = new WrappingKeyFile(join(await newFolder(t), 'wrapping-keys.json'));
    const keys = await openKeyRing({ database, file, clock });
    let port = 1;
    const open = (isAnonymousPullEnabled: boolean) =>
      openRegistries({
        database,
        keys,
        clock,
        loginServer: () => `local.example:${port}`,
        isAnonymousPullEnabled,
        region: 'test',
      });
    const registries = await open(false);
    const { local } = registries;
    assert.equal(local.name, 'local');
    assert.ok(keys.hasKey(local.id));
    for (const host of ['local.example', 'anything.example:5000', '127.0.0.1', '']) assert.equal(registries.resolve(host), local);
    port = 2;
    assert.equal(local.loginServer, 'local.example:2', 'known once the server listens');
    const again = await open(true);
    assert.deepEqual([again.local.id, again.local.isAnonymousPullEnabled], [local.id, true]);
    const rows = await database.read.selectFrom('registries').selectAll().execute();
    assert.deepEqual(
      rows.map((row) => [row.name, row.anonymous_pull]),
      [['local', 0]],
    );
    assert.equal((await database.read.selectFrom('data_keys').selectAll().execute()).length, 1);
  });

  test('the plan of the first start stays; plan and network rules that are written count after the next look', async (t) => {
    const database = await engine.open(t);
    const file = new WrappingKeyFile(join(await newFolder(t), 'wrapping-keys.json'));
    const keys = await openKeyRing({ database, file, clock });
    const options = { database, keys, clock, loginServer: () => 'local.example', isAnonymousPullEnabled: false, region: 'test' };
    const registries = await openRegistries({ ...options, defaultPlan: 'Basic' });
    const { local } = registries;
    assert.deepEqual([local.plan, registries.plans.Basic.webhooks], ['Basic', 2]);
    assert.equal((await openRegistries(options)).local.plan, 'Basic', 'later starts leave it alone');
    const gate = new NetworkGate([]);
    const pass = () => gate.requirePassage(distribution.checkApi, registries.local, '198.51.100.1');
    pass();
    const record = await findRegistry(database.read, 'local');
    assert.ok(record !== undefined);
    const networkRuleSet = { defaultAction: 'Deny', ipRules: [{ action: 'Allow', value: '203.0.113.0/24' }] } as const;
    const change = { ...record, plan: 'Premium', properties: { networkRuleSet }, by: 'test', now: clock.now() } as const;
    assert.ok(await database.write(updateRegistry, change));
    await registries.refresh();
    assert.equal(registries.local.plan, 'Premium');
    assert.throws(pass, { error: 'DENIED' });
    gate.requirePassage(distribution.checkApi, registries.local, '203.0.113.9');
    const shut = {
      ...change,
      version: record.version + 1,
      properties: { networkRuleSet, publicNetworkAccess: 'Disabled' },
    } as const;
    assert.ok(await database.write(updateRegistry, shut));
    await registries.refresh();
    assert.throws(() => gate.requirePassage(distribution.checkApi, registries.local, '203.0.113.9'), { error: 'DENIED' });
  });

  test('a registry whose first key a crash prevented gets it at the next start', async (t) => {
    const database = await engine.open(t);
    const file = new WrappingKeyFile(join(await newFolder(t), 'wrapping-keys.json'));
    const keys = await openKeyRing({ database, file, clock });
    const crash = new Error('crash');
    const options = { database, clock, loginServer: () => 'local.example', isAnonymousPullEnabled: false, region: 'test' };
    const dying = { hasKey: () => false, addDataKey: () => Promise.reject(crash) };
    await assert.rejects(openRegistries({ ...options, keys: Object.assign(Object.create(keys) as typeof keys, dying) }), crash);
    const { local } = await openRegistries({ ...options, keys });
    assert.equal(keys.current(local.id).registryId, local.id);
  });
});

test('the first-run file is whole, readable by its owner only, and replaced in one step', async (t) => {
  const folder = await newFolder(t);
  // What a crash left behind, with a mode that is too wide.
  await writeFile(join(folder, `${firstRunFileName}.new`), '{"half', { mode: 0o644 });
  for (const password of ['one', 'two']) {
    const firstRun = { loginServer: 'localhost:5000', username: 'local', password };
    await writeFirstRun(folder, firstRun);
    const path = join(folder, firstRunFileName);
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), firstRun);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  }
  assert.deepEqual(await readdir(folder), [firstRunFileName]);
  await removeFirstRun(folder);
  await removeFirstRun(folder);
  assert.deepEqual(await readdir(folder), []);
});
