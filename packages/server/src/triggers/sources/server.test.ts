import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startRegistry } from '@berth/testkit';
import { examples, head, signed } from './forges/test-payloads.ts';
import { startTestForge } from './test-forge.ts';

/** The whole way over HTTP: a task, its hook at a forge, a signed push, the run and its status. */

interface Client {
  readonly url: string;
  ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly json: never }>;
}

async function start(t: TestContext): Promise<Client> {
  const registry = await startRegistry({ settings: { outboundAllow: '127.0.0.1', loginServer: 'https://registry.example' } });
  t.after(() => registry.stop());
  const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString('base64')}`;
  return {
    url: registry.url,
    ask: async (method, path, body) => {
      const answer = await fetch(registry.url + path, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, json: (text === '' ? undefined : JSON.parse(text)) as never };
    },
  };
}

/** Until what runs in the background has done its part. */
async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + 30_000; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(Date.now() < end, 'it did not happen');
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

test('a task is entered at its forge, runs by a signed push, and its status is posted', async (t) => {
  const [client, forge] = [await start(t), await startTestForge(t)];
  const properties = {
    status: 'Enabled',
    platform: { os: 'Linux', architecture: 'amd64' },
    step: {
      type: 'Docker',
      contextPath: `${forge.repository}#main`,
      imageNames: ['app:{{.Run.ID}}'],
      dockerFilePath: 'Dockerfile',
    },
    trigger: {
      sourceTriggers: [
        {
          name: 'source',
          sourceTriggerEvents: ['commit', 'pullrequest'],
          sourceRepository: {
            sourceControlType: 'Github',
            repositoryUrl: forge.repository,
            sourceControlAuthProperties: { tokenType: 'PAT', token: 'secret' },
          },
        },
      ],
    },
  };
  const made = await client.ask('PUT', '/berth/v1/tasks/build-app', { properties });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  const hook = await eventually(() => forge.calls.find(({ method }) => method === 'POST'));
  assert.equal(hook.path, '/api/v3/repos/acme/app/hooks');
  const entered = (hook.body as { config: { url: string; secret: string } }).config;
  const shown = await client.ask('GET', '/berth/v1/tasks/build-app/hooks/source');
  const { url, secret } = shown.json as { url: string; secret: string };
  assert.deepEqual(shown.status, 200);
  assert.deepEqual([entered.url, entered.secret], [url, secret]);
  assert.equal(url, 'https://registry.example/berth/v1/hooks/build-app/source');

  const push = examples['github push'];
  const repository = { ...push.payload.repository, clone_url: forge.repository };
  const { headers, body } = signed({ ...push, payload: { ...push.payload, repository } }, { secret });
  const send = (path: string, more: Readonly<Record<string, string>> = {}) =>
    fetch(client.url + path, {
      method: 'POST',
      headers: { ...(headers as Record<string, string>), ...more },
      body: new Uint8Array(body),
    });
  const [forged, nobodys] = await Promise.all([
    send('/berth/v1/hooks/build-app/source', { 'x-hub-signature-256': 'sha256=00' }),
    send('/berth/v1/hooks/other/source'),
  ]);
  assert.deepEqual([forged.status, nobodys.status], [401, 401]);
  assert.deepEqual(messageOf(await forged.json()), messageOf(await nobodys.json()), 'attack 36: the same answer');
  const taken = await send('/berth/v1/hooks/build-app/source');
  assert.equal(taken.status, 202);
  const outcome = (await taken.json()) as { isFired: boolean; run: string; reason: string };
  assert.ok(outcome.isFired, outcome.reason);
  assert.equal((await send('/berth/v1/hooks/build-app/source')).status, 401, 'a replay');

  const run = await client.ask('GET', `/berth/v1/runs/${outcome.run}`);
  const { task, trigger } = run.json as { task: string; trigger: { kind: string; commitId: string } };
  assert.deepEqual([task, trigger.kind, trigger.commitId], ['build-app', 'source', head]);
  const posted = (state: string) =>
    eventually(() => forge.calls.find((call) => (call.body as { state?: string } | null)?.state === state));
  assert.equal((await posted('pending')).path, `/api/v3/repos/acme/app/statuses/${head}`);
  assert.equal((await client.ask('POST', `/berth/v1/runs/${outcome.run}/cancel`)).status, 202);
  await posted('error');
  await client.ask('DELETE', '/berth/v1/tasks/build-app');
  await eventually(() => forge.calls.find(({ method }) => method === 'DELETE'));
});

function messageOf(envelope: unknown): unknown {
  return (envelope as { errors: { message: string }[] }).errors.map(({ message }) => message);
}
