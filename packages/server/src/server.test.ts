import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { Refusal } from './errors/index.ts';
import { type Server, createServer, loadSettings } from './index.ts';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-server-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function serverIn(t: TestContext, dataDir: string, more: Readonly<Record<string, string>> = {}): Server {
  const env = {
    BERTH_DATA: dataDir,
    BERTH_HOST: '127.0.0.1',
    BERTH_PORT: '0',
    BERTH_LOG_LEVEL: 'silent',
    BERTH_AGENT: 'off',
    ...more,
  };
  const server = createServer(loadSettings({ argv: [], env, cwd: dataDir }).settings);
  t.after(() => server.stop());
  return server;
}

function refusing(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.match(error.message, pattern);
    assert.notEqual(error.nextStep, '');
    return true;
  };
}

forEachEngine((engine) => {
  test('a server goes from new to stopped once, and serves only in between', async (t) => {
    const dataDir = await temporaryFolder(t);
    const location = await engine.createLocation(t);
    const server = serverIn(t, dataDir, 'url' in location ? { BERTH_DATABASE: location.url } : {});
    assert.equal(server.state, 'new');
    assert.throws(() => server.request({ method: 'GET', url: '/healthz' }), /the server is new/);
    const facts = await server.start();
    assert.equal(server.state, 'running');
    assert.equal((await server.request({ method: 'GET', url: '/readyz' })).status, 200);
    assert.equal((await fetch(`${facts.origin}/v2/`)).status, 401);
    await assert.rejects(server.start(), /a server that is running cannot be started/);
    await Promise.all([server.stop(), server.stop()]);
    assert.equal(server.state, 'stopped');
    await assert.rejects(fetch(`${facts.origin}/healthz`));
    await assert.rejects(server.start(), /a server that is stopped/);
  });

  test('the data of one start is there at the next', async (t) => {
    const dataDir = await temporaryFolder(t);
    const location = await engine.createLocation(t);
    const more = 'url' in location ? { BERTH_DATABASE: location.url } : {};
    const first = serverIn(t, dataDir, more);
    const { firstRun } = await first.start();
    assert.ok(firstRun);
    await first.stop();
    const second = serverIn(t, dataDir, more);
    const facts = await second.start();
    assert.equal(facts.firstRun, undefined, 'the password is made and shown once');
    const authorization = `Basic ${Buffer.from(`${firstRun.username}:${firstRun.password}`).toString('base64')}`;
    assert.equal((await fetch(`${facts.origin}/v2/`, { headers: { authorization } })).status, 200);
  });
});

test('the first run leaves what a newcomer needs, readable by its owner only', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'made', 'by', 'the', 'start');
  const server = serverIn(t, dataDir);
  const { origin, firstRunFile, keyFile, loginServer } = await server.start();
  assert.equal(loginServer, new URL(origin).host);
  const firstRun = JSON.parse(await readFile(firstRunFile, 'utf8')) as Record<string, string>;
  assert.equal(firstRun['loginServer'], loginServer);
  assert.equal(firstRun['username'], 'local');
  assert.ok((firstRun['password'] ?? '').length >= 40);
  for (const file of [firstRunFile, keyFile]) assert.equal((await stat(file)).mode & 0o777, 0o600, file);
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
});

test('a stop in the middle of a start leaves nothing open', async (t) => {
  const dataDir = await temporaryFolder(t);
  const server = serverIn(t, dataDir);
  const starting = server.start();
  await server.stop();
  assert.equal(server.state, 'stopped');
  await starting;
  const next = serverIn(t, dataDir);
  await next.start();
});

test('a second owner of the data folder is refused, and the folder is free again after a stop', async (t) => {
  const dataDir = await temporaryFolder(t);
  const first = serverIn(t, dataDir);
  await first.start();
  const second = serverIn(t, dataDir);
  await assert.rejects(second.start(), refusing(/^another process owns the data folder/));
  assert.equal(second.state, 'stopped');
  await first.stop();
  await serverIn(t, dataDir).start();
});

test('a port that is taken is refused, and what was opened is closed again', async (t) => {
  const dataDir = await temporaryFolder(t);
  const other = createNetServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  await assert.rejects(
    serverIn(t, dataDir, { BERTH_PORT: port }).start(),
    refusing(new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is taken`)),
  );
  await serverIn(t, dataDir).start();
});

test('missing keys, other keys, a newer schema and a host of another machine are refused in one sentence', async (t) => {
  const dataDir = await temporaryFolder(t);
  const first = serverIn(t, dataDir);
  const { keyFile } = await first.start();
  await first.stop();
  const key = await readFile(keyFile);
  await rm(keyFile);
  await assert.rejects(serverIn(t, dataDir).start(), refusing(/^the key file .* is missing/));
  await writeFile(keyFile, key.toString().replace(/"key": "[^"]{8}/, '"key": "AAAAAAAA'));
  await assert.rejects(serverIn(t, dataDir).start(), refusing(/do not open the stored data/));
  await writeFile(keyFile, 'nonsense');
  await assert.rejects(serverIn(t, dataDir).start(), refusing(/is not JSON/));
  await writeFile(keyFile, key);
  await assert.rejects(
    serverIn(t, dataDir, { BERTH_HOST: '192.0.2.1' }).start(),
    refusing(/192\.0\.2\.1 is no address of this machine/),
  );
  await serverIn(t, dataDir).start();
});

test('a damaged database is refused with the way out', async (t) => {
  const dataDir = await temporaryFolder(t);
  await writeFile(join(dataDir, 'berth.db'), 'this was a database '.repeat(1000));
  await assert.rejects(serverIn(t, dataDir).start(), refusing(/is damaged: file is not a database/));
});

test('a database that does not answer is refused without its password', async (t) => {
  const closed = createNetServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => closed.close(resolve));
  const server = serverIn(t, await temporaryFolder(t), { BERTH_DATABASE: `postgres://berth:hunter2@127.0.0.1:${port}/berth` });
  await assert.rejects(
    server.start(),
    (error: unknown) => refusing(/^the database does not let berth in/)(error) && !String(error).includes('hunter2'),
  );
});

test('certificate files are refused before the port is opened', async (t) => {
  const dataDir = await temporaryFolder(t);
  const server = serverIn(t, dataDir, { BERTH_TLS_CERT: 'missing.pem', BERTH_TLS_KEY: 'missing-key.pem' });
  await assert.rejects(server.start(), refusing(/missing\.pem cannot be read/));
});

test('the login server of the settings stands in challenges whatever the Host header says (attack 12)', async (t) => {
  const server = serverIn(t, await temporaryFolder(t), { BERTH_LOGIN_SERVER: 'https://registry.example' });
  await server.start();
  const answer = await server.request({ method: 'GET', url: '/v2/', headers: { host: 'evil.example' } });
  assert.equal(
    answer.headers['www-authenticate'],
    'Bearer realm="https://registry.example/oauth2/token",service="registry.example"',
  );
});

test('metrics say what runs, what was asked, and what waits', async (t) => {
  const server = serverIn(t, await temporaryFolder(t), { BERTH_REGION: 'west' });
  const { firstRun } = await server.start();
  await server.request({ method: 'GET', url: '/v2/' });
  const authorization = `Basic ${Buffer.from(`${firstRun?.username}:${firstRun?.password}`).toString('base64')}`;
  const digest = `sha256:${createHash('sha256').update('content').digest('hex')}`;
  const push = {
    method: 'POST',
    url: `/v2/a/blobs/uploads/?digest=${digest}`,
    headers: { authorization },
    body: 'content',
  } as const;
  assert.equal((await server.request(push)).status, 201);
  const text = (await server.request({ method: 'GET', url: '/metrics' })).body.toString();
  for (const name of [
    'berth_info{version=',
    'region="west"',
    'berth_requests_total{operation="check-api",status="401"} 1',
    'berth_garbage_due 0',
    'berth_damaged_parts 0',
    'berth_uploads_in_progress 0',
    'berth_sign_in_failures_total 0',
    'berth_store_calls_total{operation="append",outcome="ok"} 1',
    'berth_store_call_duration_seconds_count{operation="commit"} 1',
    'nodejs_eventloop_lag_seconds',
  ]) {
    assert.ok(text.includes(name), name);
  }
});

test('attack 2, attack 12: no route, method or path gets more than the OCI envelope', async (t) => {
  const server = serverIn(t, await temporaryFolder(t));
  await server.start();
  for (const url of [
    '/',
    '/v2/x',
    '/v3/',
    '/v2/a/b',
    '/acr/v1/',
    '/v2/a/manifests/',
    '/../etc/passwd',
    '/v2/%',
    '/berth/v1/keys/rotations',
    '/v2/a/blobs/uploads/x/y',
  ]) {
    for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const answer = await server.request({ method, url });
      assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${url}: ${answer.status}`);
      const { errors } = JSON.parse(answer.body.toString()) as { errors: { code: string; message: string }[] };
      assert.ok(errors[0]?.code && errors[0].message, `${method} ${url}`);
    }
  }
});
