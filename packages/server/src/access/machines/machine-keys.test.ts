import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { basic, bearer, refusal, setUpAccess } from '../test-access.ts';
import { endRun, startRun } from '../test-transactions.ts';

const need = (name: string, action: 'pull' | 'push' | 'delete' = 'pull'): Need => ({ type: 'repository', name, action });
const build = [
  { type: 'repository', name: 'team/app', actions: ['pull', 'push'] },
  { type: 'repository', name: '*', actions: ['pull'] },
];

forEachEngine((engine) => {
  test('an agent asks for work, and may nothing else', async (t) => {
    const { start, registry } = await setUpAccess(engine, t);
    const { access } = await start();
    const { id, key } = await access.machines.createAgentKey(registry, { name: 'builder', agentPool: 'fast', isShared: false });
    const principal = await access.authenticate({ authorization: basic('$agent', key) }, '10.0.0.1', registry);
    assert.deepEqual([principal.kind, principal.id, principal.name], ['agent', `agent:${id}`, 'builder']);
    assert.deepEqual(principal.agent, { keyId: id, agentPool: 'fast', isShared: false });
    assert.ok(principal.permits({ type: 'agent' }));
    for (const no of [need('a'), { type: 'operator' }, { type: 'deployment' }] as const)
      assert.equal(principal.permits(no), false);
  });

  test('nobody else is an agent, whatever they may', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const admin = await (await start()).who(basic('local', announced[0]?.password ?? ''));
    assert.equal(admin.permits({ type: 'agent' }), false);
  });

  test('a deleted key ends at once, in another process within five seconds', async (t) => {
    const { start, registry, clock } = await setUpAccess(engine, t);
    const [first, second] = [await start(), await start()];
    const { id, key } = await first.access.machines.createAgentKey(registry, { name: 'a', agentPool: null, isShared: true });
    for (const each of [first, second]) assert.equal((await each.who(basic('$agent', key))).kind, 'agent');
    await first.access.machines.deleteAgentKey(registry, id);
    await refusal(first.who(basic('$agent', key)));
    clock.time += 5_000;
    await refusal(second.who(basic('$agent', key)));
    await refusal(first.access.machines.deleteAgentKey(registry, id), 'NOT_FOUND');
  });

  test('names of keys are taken once, unless the newer one replaces the older', async (t) => {
    const { start, registry } = await setUpAccess(engine, t);
    const server = await start();
    const wanted = { name: 'local', agentPool: null, isShared: true };
    const { machines } = server.access;
    const before = await machines.createAgentKey(registry, wanted);
    await refusal(machines.createAgentKey(registry, wanted), 'NAME_IN_USE');
    const after = await machines.createAgentKey(registry, { ...wanted, isReplacing: true });
    assert.deepEqual(
      (await machines.list(registry.id)).map(({ id }) => id),
      [after.id],
    );
    await refusal(server.who(basic('$agent', before.key)));
    await refusal(machines.createAgentKey(registry, { ...wanted, name: 'x', agentPool: 'no pool' }), 'INVALID_PARAMETER');
    await refusal(machines.createAgentKey(registry, { ...wanted, name: 'line\nbreak' }), 'INVALID_PARAMETER');
  });

  test('a run may what its credential says, by password and by token, until it is revoked', async (t) => {
    const { start, registry, clock, database } = await setUpAccess(engine, t);
    const server = await start();
    const { machines } = server.access;
    const expiresAt = clock.time + 60_000;
    const { username, password, key } = machines.makeRunCredential(registry, { runId: 'ca1', access: build, expiresAt });
    const authorization = basic(username, password);
    await refusal(server.who(authorization));
    await database.write(startRun, key);
    const tokens = await server.getToken(authorization, 'scope=repository:*:* repository:team/app:pull,push,delete');
    for (const how of [authorization, bearer(tokens)]) {
      const principal = await server.who(how);
      assert.deepEqual([principal.kind, principal.id], ['run', 'run:ca1']);
      for (const yes of [need('team/app', 'push'), need('other')]) assert.ok(principal.permits(yes));
      for (const no of [need('other', 'push'), need('team/app', 'delete'), { type: 'operator' }, { type: 'agent' }] as const)
        assert.equal(principal.permits(no), false);
    }
    const ended = await database.write(endRun, { registryId: registry.id, runId: 'ca1' });
    assert.equal(ended, key.id);
    machines.forgetRunCredential(registry.id, key.id);
    await refusal(server.who(authorization));
    await refusal(server.who(bearer(tokens)));
  });

  test('a run that was taken over has a new credential, and one whose time is over has none', async (t) => {
    const { start, registry, clock, database } = await setUpAccess(engine, t);
    const server = await start();
    const issue = async () => {
      const wanted = { runId: 'ca1', access: build, expiresAt: clock.time + 60_000 };
      const made = server.access.machines.makeRunCredential(registry, wanted);
      await database.write(startRun, made.key);
      return made;
    };
    const first = await issue();
    const second = await issue();
    await refusal(server.who(basic(first.username, first.password)));
    assert.equal((await server.who(basic(second.username, second.password))).kind, 'run');
    clock.time += 60_000;
    await refusal(server.who(basic(second.username, second.password)));
  });

  test('attack 20: the key of an agent is not the credential of a run, nor the reverse', async (t) => {
    const { start, registry, clock, database } = await setUpAccess(engine, t);
    const server = await start();
    const { key } = await server.access.machines.createAgentKey(registry, { name: 'a', agentPool: null, isShared: false });
    const expiresAt = clock.time + 60_000;
    const run = server.access.machines.makeRunCredential(registry, { runId: 'ca1', access: build, expiresAt });
    await database.write(startRun, run.key);
    await refusal(server.who(basic('$run', key)));
    await refusal(server.who(basic('$agent', run.password)));
    await refusal(server.who(basic('$agent', `${key}x`)));
    await refusal(server.who(basic('$agent', key.slice(key.indexOf('.') + 1))));
  });
});
