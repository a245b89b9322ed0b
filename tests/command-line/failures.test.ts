import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, after, before, test } from 'node:test';
import { type StartedRegistry, startRegistry } from '@berth/testkit';
import { type Failure, type RunOptions, failed, runBerth } from './run-berth.ts';
import { startStrangeServer } from './strange-server.ts';

let plain: StartedRegistry;
let secure: StartedRegistry;

before(async () => {
  [plain, secure] = await Promise.all([startRegistry(), startRegistry({ settings: { tls: 'auto' } })]);
});
after(() => Promise.all([plain.stop(), secure.stop()]));

const failure = async (args: readonly string[], options: RunOptions = {}): Promise<Failure> =>
  failed(await runBerth(args, options));
const at = (server: string): RunOptions => ({ env: { BERTH_SERVER: server, BERTH_PASSWORD: 'wrong-secret' } });

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-failures-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('says when it is not known which server to ask', async () => {
  for (const env of [{}, { BERTH_PASSWORD: 'wrong-secret' }, { BERTH_SERVER: '', BERTH_PASSWORD: 'wrong-secret' }]) {
    assert.deepEqual(await failure(['status'], { env }), {
      why: 'it is not known which server to ask',
      next: 'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of a server on this machine with --data',
    });
  }
});

test('says when first-run.json cannot be read or is not complete', async (t) => {
  const data = await newFolder(t);
  const path = join(data, 'first-run.json');
  const unreadable = {
    why: `${path} cannot be read`,
    next: 'name the data folder of a server that has been started once, as the user who owns it',
  };
  assert.deepEqual(await failure(['--data', data, 'status']), unreadable);
  for (const text of ['not JSON', '', 'null']) {
    await writeFile(path, text);
    assert.deepEqual(await failure(['--data', data, 'status']), unreadable, text);
  }
  await writeFile(path, '{ "loginServer": "localhost:5000", "username": "local" }');
  assert.deepEqual(await failure(['--data', data, 'status']), {
    why: `${path} is not complete`,
    next: 'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD instead',
  });
  await writeFile(path, '{ "loginServer": "ftp://here", "username": "local", "password": "wrong-secret" }');
  assert.equal((await failure(['--data', data, 'status'])).why, `${path} names no address of a server`);
});

test('says when BERTH_SERVER is no address, without the password that may stand in it', async () => {
  for (const server of ['http://:::', 'ftp://127.0.0.1:1', 'a b', 'https://local:wrong-secret@localhost:99999']) {
    assert.deepEqual(
      await failure(['status'], at(server)),
      { why: 'BERTH_SERVER names no address of a server', next: 'write it as https://host:port' },
      server,
    );
  }
});

test('says when the authority is missing or is none', async () => {
  const next = 'give a PEM file with --ca';
  const missing = join(plain.dataDir, 'none.pem');
  const why = `the authority ${missing} cannot be read`;
  assert.deepEqual(await failure(['--ca', missing, 'status'], at(secure.url)), { why, next });
  const other = join(plain.dataDir, 'first-run.json');
  const none = `${other} holds no certificate`;
  assert.deepEqual(await failure(['--ca', other, 'status'], at(secure.url)), { why: none, next });
});

test('says when an authority is needed', async () => {
  const { why, next } = await failure(['status'], at(secure.url));
  assert.ok(why.startsWith(`${secure.url} does not answer: `), why);
  assert.equal(next, 'name the authority that signed its certificate with --ca');
});

test('says when the certificate is for another name', async (t) => {
  const read = (name: string) => readFile(join(secure.dataDir, 'tls', name));
  const server = createTlsServer({ cert: await read('server.pem'), key: await read('server-key.pem') });
  server.listen(0, '127.0.0.2');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `https://127.0.0.2:${(server.address() as AddressInfo).port}`;
  const { why, next } = await failure(['--ca', join(secure.dataDir, 'tls', 'authority.pem'), 'status'], at(url));
  assert.match(why, /does not match certificate/);
  assert.equal(next, 'call the server by a name that its certificate has');
});

test('tells http and https apart', async () => {
  for (const wrong of [`http://${secure.host}`, `https://${plain.host}`]) {
    const { why, next } = await failure(['status'], at(wrong));
    assert.ok(why.startsWith(`${wrong} does not answer: `), why);
    assert.equal(next, 'if it speaks TLS begin BERTH_SERVER with https://, otherwise with http://');
  }
});

test('refuses a wrong password with where it came from', async (t) => {
  const why = 'the user name or the password is wrong';
  for (const command of ['gc', 'scrub', 'scrub --status', 'keys rotate', 'passwords regenerate password'])
    assert.deepEqual(await failure(command.split(' '), at(plain.url)), { why, next: 'check the password in BERTH_PASSWORD' });
  const cwd = await newFolder(t);
  const first = { loginServer: plain.host, username: plain.username, password: 'wrong-secret' };
  await writeFile(join(cwd, 'first-run.json'), JSON.stringify(first));
  const next = 'check the password in first-run.json; if it was replaced since, set BERTH_PASSWORD';
  assert.deepEqual(await failure(['gc', '--data', '.'], { cwd }), { why, next });
});

test('says when nobody answers', async () => {
  const stopped = await startRegistry();
  await stopped.stop();
  assert.deepEqual(await failure(['status'], at(stopped.url)), {
    why: `${stopped.url} does not answer: connect ECONNREFUSED ${stopped.host}`,
    next: 'see that the server runs, and that BERTH_SERVER names it',
  });
});

test('says when somebody else answers', async (t) => {
  const others: readonly (readonly [string, RequestListener])[] = [
    ['', (_request, response) => response.end('<html>hello</html>')],
    ['', (_request, response) => response.end('"ok"')],
    [' (status 404)', (_request, response) => response.writeHead(404).end('<html>not here</html>')],
    [' (status 301)', (_request, response) => response.writeHead(301, { location: 'https://elsewhere.example/' }).end()],
    [' (status 401)', (_request, response) => response.writeHead(401).end('{"error": "who are you?"}')],
  ];
  for (const [detail, answer] of others) {
    const host = await startStrangeServer(t, answer);
    for (const args of [['status'], ['scrub', '--status']]) {
      assert.deepEqual(await failure(args, at(host)), {
        why: `what answers at http://${host} is no Berth server${detail}`,
        next: 'see that BERTH_SERVER names the right one',
      });
    }
  }
});

test('says when the answer has not what was asked for', async (t) => {
  const host = await startStrangeServer(t, ({ method }, response) => response.writeHead(method === 'GET' ? 200 : 202).end('{}'));
  for (const args of [['scrub'], ['scrub', '--status']]) assert.match((await failure(args, at(host))).why, /is no Berth server$/);
});

test('says when what answers does not speak HTTP', async (t) => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-something\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.ok((await failure(['status'], at(host))).why.startsWith(`http://${host} does not answer: `));
});

test('says when an answer breaks off', async (t) => {
  const host = await startStrangeServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('{', () => response.destroy());
  });
  assert.deepEqual(await failure(['status'], at(host)), {
    why: `http://${host} broke off its answer`,
    next: 'see that the server still runs, and try again',
  });
});

test('gives up on an answer without an end', async (t) => {
  const host = await startStrangeServer(t, (_request, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 'a');
    const endless = new Readable({ read: () => void endless.push(chunk) });
    endless.pipe(response);
  });
  const { code, stderr } = await runBerth(['status'], at(host));
  assert.deepEqual([code, stderr], [1, 'berth: the answer is larger than any that a Berth server gives.\n']);
});

test('passes on what a server says that is not ready', async (t) => {
  const said = JSON.stringify({ errors: [{ code: 'UNAVAILABLE', message: 'the database does not answer' }] });
  const host = await startStrangeServer(t, (_request, response) => response.writeHead(503).end(said));
  const { code, stdout, stderr } = await runBerth(['status'], at(host));
  assert.deepEqual([code, stdout, stderr], [1, '', 'berth: the database does not answer.\n']);
});
