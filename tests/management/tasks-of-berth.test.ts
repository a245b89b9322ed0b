import assert from 'node:assert/strict';
import { type ClientAnswer, RegistryClient } from '@berth/testkit';
import { type Management, assertAnswered, managementTests, member } from './management-tests.ts';

const content = Buffer.from('version: v1.1.0\nsteps:\n  - cmd: bash echo {{.Values.word}}\n').toString('base64');
const properties = {
  platform: { os: 'Linux' },
  timeout: 900,
  step: {
    type: 'EncodedTask',
    encodedTaskContent: content,
    values: [
      { name: 'word', value: 'own', isSecret: false },
      { name: 'key', value: 'value-secret', isSecret: true },
    ],
  },
  trigger: {
    timerTriggers: [{ name: 'nightly', schedule: '0 1 * * *', timeZone: 'Europe/Paris', overlap: 'skip', catchUp: true }],
  },
};

/** JSON in and out, as the admin of the default registry. */
async function ask(
  { client }: Management,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: Json }> {
  const answer = await client.request(method, `/berth/v1/${path}`, {
    authorization: client.basic,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, json: jsonOf(answer) };
}

type Json = Readonly<Record<string, unknown>>;

function jsonOf({ body }: ClientAnswer): Json {
  return body.length === 0 ? {} : (JSON.parse(body.toString()) as Json);
}

managementTests('tasks and secrets as berth asks for them', (check) => {
  check('a task is the same row, by the same rules, as the resource manager has it', async (management) => {
    const { manager } = management;
    const path = `${manager.provider('registries/local')}/tasks/nightly-build`;
    const made = await ask(management, 'PUT', 'tasks/nightly-build', { properties });
    assert.equal(made.status, 201, JSON.stringify(made.json));
    const arm = assertAnswered(await manager.call('GET', path), 200);
    const { provisioningState, ...shown } = member(arm, 'properties') as Json;
    assert.equal(provisioningState, 'Succeeded');
    assert.deepEqual(made.json['properties'], shown);
    assert.ok(!JSON.stringify(made.json).includes('value-secret'));
    assertAnswered(await manager.call('PATCH', path, { tags: { team: 'a' }, properties: { timeout: 1200 } }), 200);
    const got = await ask(management, 'GET', 'tasks/NIGHTLY-build');
    assert.equal((got.json['properties'] as Json)['timeout'], 1200);
    const replaced = await ask(management, 'PUT', 'tasks/nightly-build', { properties: { ...properties, trigger: {} } });
    assert.equal(replaced.status, 200);
    assert.deepEqual(member(assertAnswered(await manager.call('GET', path), 200), 'tags'), { team: 'a' });
    const listed = await ask(management, 'GET', 'tasks');
    assert.deepEqual(
      (listed.json['tasks'] as Json[]).map(({ name }) => name),
      ['nightly-build'],
    );
    const refused = await ask(management, 'PUT', 'tasks/nightly-build', { properties: { ...properties, timeout: 1 } });
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.json), /properties\.timeout must be a whole number from 300 to 28800/);
    assert.equal((await ask(management, 'PUT', 'tasks/no', { properties })).status, 400);
  });

  check('a task runs at once, with values of the run, and goes without its runs', async (management) => {
    await ask(management, 'PUT', 'tasks/nightly-build', { properties });
    const queued = await ask(management, 'POST', 'tasks/nightly-build/runs', { values: [{ name: 'word', value: 'other' }] });
    assert.equal(queued.status, 202, JSON.stringify(queued.json));
    assert.deepEqual([queued.json['task'], queued.json['status']], ['nightly-build', 'Queued']);
    assert.equal(queued.json['timeoutSeconds'], 900);
    assert.equal((await ask(management, 'POST', 'tasks/nothing/runs', {})).status, 404);
    assert.equal((await ask(management, 'DELETE', 'tasks/nightly-build')).status, 204);
    assert.equal((await ask(management, 'DELETE', 'tasks/nightly-build')).status, 404);
    assert.equal((await ask(management, 'GET', `runs/${String(queued.json['id'])}`)).status, 200);
  });

  check('secrets are kept and named, never shown', async (management) => {
    const kept = await ask(management, 'PUT', 'secrets/deploy-key', { value: 'very-secret' });
    assert.equal(kept.status, 200, JSON.stringify(kept.json));
    const listed = await ask(management, 'GET', 'secrets');
    assert.deepEqual(
      (listed.json['secrets'] as Json[]).map(({ name }) => name),
      ['deploy-key'],
    );
    assert.ok(!JSON.stringify([kept, listed]).includes('very-secret'));
    assert.equal((await ask(management, 'PUT', 'secrets/no_name', { value: 'x' })).status, 400);
    assert.equal((await ask(management, 'DELETE', 'secrets/deploy-key')).status, 204);
    assert.equal((await ask(management, 'DELETE', 'secrets/deploy-key')).status, 404);
  });

  check('attack 23: nobody but who runs the registry sees or changes tasks and secrets', async (management) => {
    const { manager, url, newName } = management;
    await ask(management, 'PUT', 'tasks/nightly-build', { properties });
    const name = newName().slice(0, 20);
    const registry = manager.provider('registries/local');
    const actions = ['repositories/*/content/read', 'repositories/*/content/write'];
    assertAnswered(await manager.call('PUT', `${registry}/scopeMaps/${name}`, { properties: { actions } }), 201);
    const token = { scopeMapId: `${registry}/scopeMaps/${name}`, status: 'enabled' };
    assertAnswered(await manager.call('PUT', `${registry}/tokens/${name}`, { properties: token }), 201);
    const tokenId = `${registry}/tokens/${name}`;
    const made = await manager.call('POST', `${registry}/generateCredentials`, { tokenId, name: 'password1' });
    const password = String(member(assertAnswered(made, 200), 'passwords.0.value'));
    using client = new RegistryClient({ url, username: name, password, scheme: 'basic' });
    const headers = { 'content-type': 'application/json' };
    for (const [method, path, body] of [
      ['GET', 'tasks', undefined],
      ['GET', 'tasks/nightly-build', undefined],
      ['PUT', 'tasks/nightly-build', { properties }],
      ['DELETE', 'tasks/nightly-build', undefined],
      ['POST', 'tasks/nightly-build/runs', {}],
      ['GET', 'secrets', undefined],
      ['PUT', 'secrets/mine', { value: 'x' }],
      ['DELETE', 'secrets/mine', undefined],
    ] as const) {
      const answer = await client.request(
        method,
        `/berth/v1/${path}`,
        body === undefined ? {} : { headers, body: JSON.stringify(body) },
      );
      assert.equal(answer.status, 403, `${method} ${path}`);
    }
  });
});
