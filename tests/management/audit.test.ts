import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RegistryClient, randomImage, startRegistry } from '@berth/testkit';
import { assertAnswered, managementTests, type Management } from './management-tests.ts';

type Event = Readonly<Record<string, unknown>>;

async function eventsOf({ client }: Management, query: Readonly<Record<string, string>>): Promise<Event[]> {
  const answer = await client.request('GET', `/berth/v1/audit?${new URLSearchParams(query)}`, { authorization: client.basic });
  assert.equal(answer.status, 200, answer.body.toString());
  return (JSON.parse(answer.body.toString()) as { events: Event[] }).events;
}

managementTests('the audit trail (acr-api 6.16)', (check) => {
  check('says who did what to an image, with the columns that ACR has', async (management) => {
    const { client, host, newName } = management;
    const repository = `audit/${newName()}`;
    const image = randomImage();
    const { digest, mediaType, bytes } = image.manifest;
    await client.pushImage(repository, image, 'v1');
    await client.request('GET', `/v2/${repository}/manifests/v1`, {
      authorization: client.basic,
      headers: { 'user-agent': 'test\u00e9/1' },
    });
    await client.request('DELETE', `/acr/v1/${repository}/_tags/v1`, { authorization: client.basic });
    await client.request('DELETE', `/v2/${repository}/manifests/${digest}`, { authorization: client.basic });
    await client.request('DELETE', `/v2/${repository}/manifests/${digest}`, { authorization: client.basic });
    const events = await eventsOf(management, { repository });
    assert.deepEqual(
      events.map((each) => [each['operationName'], each['tag'], each['digest'], each['resultType'], each['resultDescription']]),
      [
        ['Delete', null, digest, 404, 'NAME_UNKNOWN'],
        ['Delete', null, digest, 202, ''],
        ['Untag', 'v1', null, 202, ''],
        ['Pull', 'v1', digest, 200, ''],
        ['Push', 'v1', digest, 201, ''],
      ].map((row, index) => (index === 0 ? [...row.slice(0, 4), events[0]?.['resultDescription']] : row)),
    );
    const pull = events[3] ?? {};
    assert.deepEqual(
      [
        pull['category'],
        pull['mediaType'],
        pull['size'],
        pull['loginServer'],
        pull['identity'],
        pull['identityId'],
        pull['callerIpAddress'],
      ],
      ['ContainerRegistryRepositoryEvents', mediaType, bytes.length, host, 'local', 'admin:local', '127.0.0.1'],
    );
    assert.match(String(pull['correlationId']), /^[0-9a-f-]{36}$/);
    assert.equal((await eventsOf(management, { repository, operation: 'Pull' })).length, 1);
    assert.equal((await eventsOf(management, { repository, from: '2999-01-01T00:00:00Z' })).length, 0);
    assert.equal((await eventsOf(management, { repository: "x' or 1=1 --" })).length, 0, 'attack 44');
  });

  check('attack 31: sign-ins and changes are in it, secrets are not', async (management) => {
    const { url, client, manager, newName } = management;
    using wrong = new RegistryClient({ url, username: 'local', password: 'a-wrong-secret', scheme: 'basic' });
    assert.equal((await wrong.request('GET', '/oauth2/token?scope=registry:catalog:*')).status, 401);
    const hook = {
      location: 'local',
      properties: { serviceUri: 'https://x.example/?key=hidden', customHeaders: { k: 'hidden' }, actions: ['push'] },
    };
    const path = `${manager.provider('registries/local')}/webhooks/${newName().slice(0, 20)}`;
    assertAnswered(await manager.call('PUT', path, hook), 201);
    const answer = await client.request('GET', '/berth/v1/audit', { authorization: client.basic });
    const text = answer.body.toString();
    assert.doesNotMatch(text, /a-wrong-secret|hidden/);
    const { events } = JSON.parse(text) as { events: Event[] };
    const change = events.find((each) => each['operationName'] === 'Microsoft.ContainerRegistry/registries/webhooks/write');
    assert.deepEqual([change?.['category'], change?.['identity'], change?.['resultType']], ['Administrative', 'owner', 201]);
    const login = events.find((each) => each['operationName'] === 'Login' && each['resultType'] === 401);
    assert.equal(login?.['resultDescription'], 'UNAUTHORIZED');
    assert.ok(events.some((each) => each['operationName'] === 'Login' && each['identity'] === 'owner'));
  });

  check('what a refused request names is kept as text, whatever it holds', async (management) => {
    const { client } = management;
    for (const path of ['odd/manifests/v%001', `${'x'.repeat(5000)}/manifests/v1`])
      await client.request('GET', `/v2/${path}`, { authorization: client.basic });
    const [long, odd] = (await eventsOf(management, { operation: 'Pull' })).filter((each) => each['resultType'] === 400);
    assert.equal(String(long?.['repository']).length, 256);
    assert.equal(odd?.['tag'], 'v\uFFFD1');
  });

  check('pages go on, and what makes no sense is refused', async (management) => {
    const { client } = management;
    const all = await eventsOf(management, {});
    let seen = 0;
    let next: string | undefined = '/berth/v1/audit?n=3';
    while (next !== undefined && seen < all.length) {
      const answer = await client.request('GET', next, { authorization: client.basic });
      seen += (JSON.parse(answer.body.toString()) as { events: Event[] }).events.length;
      next = /^<([^>]+)>/.exec(String(answer.headers['link']))?.[1];
    }
    assert.ok(seen >= all.length);
    for (const query of ['from=yesterday', 'last=abc', 'n=-1', `identity=${'x'.repeat(257)}`])
      assert.equal((await client.request('GET', `/berth/v1/audit?${query}`, { authorization: client.basic })).status, 400, query);
  });
});

test('the audit log has a line of JSON for each event', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-audit-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'audit.jsonl');
  const registry = await startRegistry({ settings: { auditLog: file } });
  t.after(() => registry.stop());
  using client = new RegistryClient({ url: registry.url, username: registry.username, password: registry.password });
  await client.pushImage('lines', randomImage(), 'v1');
  await registry.stop();
  const events = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  assert.ok(events.some((each) => each['operationName'] === 'Push' && each['repository'] === 'lines'));
});
