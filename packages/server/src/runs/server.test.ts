import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Assignment, LogRecord, Run, RunReport } from '@berth/api';
import { agentDescription, startRegistry } from '@berth/testkit';

/** The whole way over HTTP: keys, queue, claim, reports, log, live and afterwards. */

interface Client {
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

async function start(
  t: TestContext,
): Promise<{ readonly admin: Client; agent(name?: string): Promise<Client>; stop(): Promise<void> }> {
  const registry = await startRegistry({ settings: { agent: 'off' } });
  t.after(() => registry.stop());
  const client = (username: string, password: string): Client => ({
    ask: (method, path, body, headers = {}) =>
      fetch(registry.url + path, {
        method,
        headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`, ...headers },
        ...(body !== undefined && { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
      }),
  });
  const admin = client(registry.username, registry.password);
  return {
    admin,
    agent: async (name = 'builders') => {
      const made = await admin.ask('POST', '/berth/v1/agent-keys', { name });
      assert.equal(made.status, 201, await made.clone().text());
      return client('$agent', ((await made.json()) as { key: string }).key);
    },
    stop: () => registry.stop(),
  };
}

async function claim(agent: Client, waitSeconds = 0): Promise<Assignment | undefined> {
  const answer = await agent.ask('POST', '/berth/v1/agent/claims', { agent: agentDescription, holds: [], waitSeconds });
  assert.ok(answer.status === 200 || answer.status === 204, await answer.clone().text());
  return answer.status === 200 ? ((await answer.json()) as Assignment) : undefined;
}

async function report(
  agent: Client,
  { run, lease }: Assignment,
  said: RunReport,
): Promise<{ isCanceled: boolean; logRecords: number }> {
  const answer = await agent.ask('POST', `/berth/v1/agent/runs/${run.id}/reports`, said, { 'berth-lease': lease });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as { isCanceled: boolean; logRecords: number };
}

function line(text: string, stream: LogRecord['stream'] = 'stdout'): LogRecord {
  return { time: Date.UTC(2026, 0, 2, 3, 4, 5), step: 'build', stream, text };
}

test('a build goes from an upload to its end, and its log is followed live', async (t) => {
  const { admin, agent: makeAgent } = await start(t);
  const agent = await makeAgent();
  const archive = Buffer.from('an archive, as far as the server knows'.repeat(1000));
  const uploaded = await admin.ask('POST', '/berth/v1/sources', archive);
  assert.equal(uploaded.status, 201);
  const { id } = (await uploaded.json()) as { id: string };
  const queued = await admin.ask('POST', '/berth/v1/runs', {
    work: { kind: 'build', images: ['team/app:{{.Run.ID}}'] },
    source: { kind: 'upload', id },
  });
  assert.equal(queued.status, 202, await queued.clone().text());
  const run = (await queued.json()) as Run;
  assert.equal(run.id, 'ca1');
  assert.deepEqual(run.queue, { position: 1, reason: 'no agent has asked for work in the last minute' });

  const live = await admin.ask('GET', '/berth/v1/runs/ca1/log', undefined, { accept: 'text/event-stream' });
  assert.equal(live.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const followed = live.text();

  const assignment = await claim(agent, 5);
  assert.ok(assignment !== undefined);
  assert.equal(assignment.run.id, 'ca1');
  assert.equal(assignment.logins[0]?.username, '$run');
  const source = await agent.ask('GET', '/berth/v1/agent/runs/ca1/source', undefined, { 'berth-lease': assignment.lease });
  assert.deepEqual(Buffer.from(await source.arrayBuffer()), archive);

  assert.deepEqual(
    await report(agent, assignment, { logFrom: 0, log: [line('begins', 'agent'), line('Step 1/1 : FROM scratch')] }),
    {
      isCanceled: false,
      leaseSeconds: 30,
      logRecords: 2,
    },
  );
  const digest = `sha256:${'a'.repeat(64)}`;
  const image = { registry: assignment.run.registry, repository: 'team/app', tag: 'ca1', digest };
  const end = {
    outcome: 'Succeeded' as const,
    message: null,
    images: [image],
    dependencies: [],
    temporaryTags: ['team/app:_berth-ca1-0'],
  };
  const last: RunReport = { logFrom: 2, log: [line('done', 'agent')], end };
  assert.equal((await report(agent, assignment, last)).logRecords, 3);
  assert.equal((await report(agent, assignment, last)).logRecords, 3, 'an end may be said again');

  const events = await followed;
  assert.match(events, /id: 0\nevent: log\ndata: \{"number":0,.*"text":"begins"\}\n\n/);
  assert.match(events, /id: 2\nevent: log\n/);
  assert.match(events, /event: run\n/);
  assert.match(events, /event: end\ndata: \{"id":"ca1","status":"Succeeded".*\n\n$/);

  const found = await admin.ask('GET', '/berth/v1/runs?image=team/app:ca1');
  assert.deepEqual(
    ((await found.json()) as { runs: Run[] }).runs.map((each) => [each.id, each.status]),
    [['ca1', 'Succeeded']],
  );
  const page = await admin.ask('GET', '/berth/v1/runs/ca1/log?search=STEP');
  const { records, next } = (await page.json()) as { records: { number: number }[]; next: number | null };
  assert.deepEqual([records.map(({ number }) => number), next], [[1], null]);
  const agents = (await (await admin.ask('GET', '/berth/v1/agents')).json()) as { agents: { name: string; isOnline: boolean }[] };
  assert.deepEqual(
    agents.agents.map(({ name, isOnline }) => [name, isOnline]),
    [['one', true]],
  );
  const metrics = await (await admin.ask('GET', '/metrics')).text();
  assert.match(metrics, /^berth_runs_succeeded_total 1$/m);
});

test('a server that stops lets go of those that wait and those that watch', async (t) => {
  const { admin, agent: makeAgent, stop } = await start(t);
  const agent = await makeAgent();
  await admin.ask('POST', '/berth/v1/runs', {
    work: { kind: 'inline', content: 'steps:\n  - cmd: bash echo hi\n' },
    agentPool: 'fast',
  });
  const live = await admin.ask('GET', '/berth/v1/runs/ca1/log', undefined, { accept: 'text/event-stream' });
  const watched = live.text();
  const waiting = claim(agent, 50);
  // Until the claim has arrived.
  for (let seen = false; !seen; ) {
    const { agents } = (await (await admin.ask('GET', '/berth/v1/agents')).json()) as { agents: unknown[] };
    seen = agents.length > 0;
  }
  const began = performance.now();
  await stop();
  assert.equal(await waiting, undefined);
  assert.match(await watched, /event: run\n/);
  assert.ok(performance.now() - began < 10_000, 'nobody waited for the end of a time');
});
