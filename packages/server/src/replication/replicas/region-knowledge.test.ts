import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import { WrappingKeyFile, openKeyRing } from '../../platform/keys/index.ts';
import { testRegistry } from '../../tenancy/test-registry.ts';
import { addReplica } from '../copy/test-transactions.ts';
import type { PeerFacts } from '../peers/model.ts';
import { type HomeKeys, openHomeKeys, sealHomeKeys } from '../settings/home-keys.ts';
import { sealedHomeKeys } from './queries.ts';
import { RegionKnowledge, putHomeKeys } from './region-knowledge.ts';

const home = { registryId: 1, verifierKeys: [{ id: 'v1', key: 'a2V5' }] };
const westTells = {
  region: 'west',
  tokenKeys: [{ kid: 'w1' }],
  registries: [{ name: 'local', loginServer: 'west.example' }],
} as unknown as PeerFacts;

async function opened(engine: TestEngine, t: TestContext) {
  const database = await engine.open(t, { transactionsModule: new URL('../copy/test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-knowledge-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = { now: () => Date.now() };
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const registryId = await database.write(addReplica, { region: 'north', registry: 'local', others: ['east', 'west'] });
  await keys.addDataKey(registryId);
  const registry = testRegistry({ id: registryId, name: 'local', isReplicated: true });
  /** As a process that has just started. */
  const knowledge = (): RegionKnowledge =>
    new RegionKnowledge({
      database,
      keys,
      clock,
      registries: { byName: () => registry, byId: () => registry },
      region: 'north',
      credentials: { verifierKeys: [], tokenKeys: [], trust: () => undefined, forgetAccounts: () => undefined },
    });
  const kept = async (): Promise<HomeKeys | undefined> => {
    const [row] = await sealedHomeKeys(database.read);
    return row && openHomeKeys(keys, registryId, { dataKeyId: row.data_key_id, sealed: row.sealed });
  };
  /** As settings do that come from the home region. */
  const settle = async (instead: string | undefined): Promise<void> =>
    database.write(putHomeKeys, { registryId, instead, ...sealHomeKeys(keys, registryId, { home, regions: [] }) });
  return { database, knowledge, kept, settle };
}

forEachEngine((engine) => {
  test('after a start without its home, a region keeps what its home told before, whoever answers first', async (t) => {
    const { knowledge, kept, settle } = await opened(engine, t);
    await settle(undefined);
    await knowledge().learn(westTells);
    assert.deepEqual(await kept(), {
      home,
      regions: [{ name: 'west', loginServer: 'west.example', tokenKeys: [{ kid: 'w1' }] }],
    });
  });

  test('what was read before other settings came is not written over them', async (t) => {
    const { database, kept, settle } = await opened(engine, t);
    await settle(undefined);
    // Made from nothing, as whoever read before.
    await settle(undefined);
    const [row] = await sealedHomeKeys(database.read);
    await settle(Buffer.from('something else').toString('base64'));
    const [same] = await sealedHomeKeys(database.read);
    assert.deepEqual(same?.sealed, row?.sealed);
    assert.deepEqual((await kept())?.home, home);
  });
});
