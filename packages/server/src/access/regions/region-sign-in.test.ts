import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import { type RegionKeys, regionKeysOf, signRegionToken } from '../../platform/region-keys/index.ts';
import { createAccess } from '../index.ts';
import { TestProcess, basic, refusal, setUpAccess } from '../test-access.ts';

const maxClockSkewMs = 60_000;

function keysOf(text: string): RegionKeys {
  const keys = regionKeysOf(text);
  assert.ok(typeof keys !== 'string');
  return keys;
}

const oldKeys = keysOf('the old key of the regions which is long enough');
const newKeys = keysOf('the new key of the regions which is long enough');

async function setUp(engine: TestEngine, t: TestContext, keys: RegionKeys | undefined = oldKeys) {
  const { database, keys: ring, clock, registry } = await setUpAccess(engine, t);
  const regions = { region: 'west', keys, maxClockSkewMs };
  const access = await createAccess({ database, keys: ring, clock, tenantId: randomUUID(), regions });
  const token = (from = 'east', { to = 'west', key = oldKeys[0] } = {}) => signRegionToken(key, { from, to, now: clock.now() });
  return { clock, registry, process: new TestProcess(access, registry), access, token };
}

forEachEngine((engine) => {
  test('another region asks what regions ask one another, and may nothing else, whatever host it names', async (t) => {
    const { process, registry, token } = await setUp(engine, t);
    const password = await token();
    for (const asked of [registry, { ...registry, id: 77, name: 'team' }]) {
      const principal = await process.who(basic('$region', password), { registry: asked });
      assert.deepEqual([principal.kind, principal.id, principal.name], ['region', 'region:east', 'east']);
      assert.ok(principal.permits({ type: 'region' }));
      for (const no of [
        { type: 'repository', name: 'a', action: 'pull' },
        { type: 'registry', name: 'catalog', action: '*' },
        { type: 'operator' },
        { type: 'deployment' },
        { type: 'agent' },
        { type: 'resource', action: 'Microsoft.ContainerRegistry/registries/read', scope: '/' },
      ] as const) {
        assert.equal(principal.permits(no), false, no.type);
        assert.equal(principal.couldPermit(no), false, no.type);
      }
    }
    assert.notEqual(process.known(basic('$region', password)), undefined);
  });

  test('a token that was right once ends with its time', async (t) => {
    const { process, clock, token } = await setUp(engine, t);
    const authorization = basic('$region', await token());
    await process.who(authorization);
    clock.time += 10 * 60_000;
    const { detail } = await refusal(process.who(authorization));
    assert.deepEqual(detail, { reason: 'clock' });
  });

  test('wrong tokens are refused with the reason, and counted; none makes tokens for clients', async (t) => {
    const { process, access, token } = await setUp(engine, t);
    const reasonOf = async (password: string) => (await refusal(process.who(basic('$region', password)))).detail;
    assert.deepEqual(await reasonOf('x'), { reason: 'key' });
    assert.deepEqual(await reasonOf(await token('east', { key: newKeys[0] })), { reason: 'key' });
    assert.deepEqual(await reasonOf(await token('east', { to: 'north' })), { reason: 'region' });
    assert.equal(access.signInFailures(), 3);
    await refusal(process.getToken(basic('$region', await token()), 'scope=repository:a:pull'));
  });

  test('after a change of keys only the new one lets in', async (t) => {
    const { process, token } = await setUp(engine, t, newKeys);
    await refusal(process.who(basic('$region', await token('east', { key: oldKeys[0] }))));
    await process.who(basic('$region', await token('east', { key: newKeys[0] })));
  });

  test('a deployment without a key takes nobody for a region', async (t) => {
    const { start, clock } = await setUpAccess(engine, t);
    const password = await signRegionToken(oldKeys[0], { from: 'east', to: 'test', now: clock.now() });
    await refusal((await start()).who(basic('$region', password)));
  });
});
