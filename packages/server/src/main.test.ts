import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { spawnRegistry } from '@berth/testkit';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

interface Ending {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

async function runToEnd(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const child = spawn(process.execPath, ['--conditions=source', main, ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output, errors };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-main-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('--help, --version and --explain print and end', async () => {
  const help = await runToEnd(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.output, /^Usage: berth serve/);
  assert.match((await runToEnd(['--version'])).output, /^\d+\.\d+\.\d+/);
  const explained = await runToEnd(['--explain', '--port', '7'], { BERTH_ADMIN_PASSWORD: 'hunter2' });
  assert.equal(explained.code, 0);
  assert.match(explained.output, /port = 7 {2}\(command line\)/);
  assert.doesNotMatch(explained.output, /hunter2/);
});

test('a refusal is a sentence, the next step and exit code 1, without a stack', async (t) => {
  const dataDir = await temporaryFolder(t);
  const first = await spawnRegistry({ dataDir });
  t.after(() => first.stop());
  const taken = new URL(first.url).port;
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/unknown option '--prot'/, ['--prot', '1']],
    [/another process owns the data folder/, ['--data', dataDir, '--port', '0', '--host', '127.0.0.1']],
    [/port \d+ on 127\.0\.0\.1 is taken/, ['--data', await temporaryFolder(t), '--port', taken, '--host', '127.0.0.1']],
    [/the data folder \S+ cannot be made or written/, ['--data', join(dataDir, 'berth.db', 'data')]],
    [/the data folder \/proc\/berth cannot be made or written/, ['--data', '/proc/berth']],
  ];
  for (const [pattern, argv] of cases) {
    const { code, output, errors } = await runToEnd(argv);
    assert.equal(code, 1, errors);
    assert.match(errors, pattern);
    assert.match(errors, /^berth does not start: [^\n]+\.\nNext: [^\n]+\.\n$/);
    assert.equal(output, '');
  }
});

test('the greeting has the address, the line to sign in with, and where keys and data lie', async (t) => {
  const dataDir = await temporaryFolder(t);
  const child = start(t, ['--data', dataDir, '--port', '0', '--host', '127.0.0.1']);
  const output = await printed(child, /Back this file up/);
  assert.match(output, /^berth listens on http:\/\/127\.0\.0\.1:\d+\n/);
  const { password } = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8')) as { password: string };
  assert.ok(output.includes(`--username local --password ${password}`));
  assert.match(output, /docker login 127\.0\.0\.1:\d+ /);
  for (const path of [dataDir, join(dataDir, 'keys', 'wrapping-keys.json'), join(dataDir, 'first-run.json')])
    assert.ok(output.includes(path), path);
  child.kill('SIGTERM');
  await once(child, 'exit');
  const again = start(t, ['--data', dataDir, '--port', '0', '--host', '127.0.0.1']);
  assert.ok(!(await printed(again, /Back this file up/)).includes(password), 'the password is shown once');
});

test('SIGTERM and SIGINT finish the request in work and end with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const dataDir = await temporaryFolder(t);
    const child = start(t, ['--data', dataDir, '--port', '0', '--host', '127.0.0.1']);
    const url = /http:\S+/.exec(await printed(child, /Back this file up/))?.[0] ?? '';
    const exit = once(child, 'exit');
    const { username, password } = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8')) as {
      username: string;
      password: string;
    };
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const upload = await fetch(`${url}/v2/a/b/blobs/uploads/`, { method: 'POST', headers: { authorization } });
    const location = new URL(upload.headers.get('location') ?? '', url);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answer = fetch(location, { method: 'PATCH', headers: { authorization }, body: readable, duplex: 'half' });
    const writer = writable.getWriter();
    await writer.write(Buffer.alloc(100_000));
    while (!/^berth_uploads_in_progress 1$/m.test(await (await fetch(`${url}/metrics`)).text()));
    child.kill(signal);
    await writer.write(Buffer.alloc(100_000));
    await writer.close();
    const { status, headers } = await answer;
    assert.equal(status, 202);
    assert.equal(headers.get('range'), '0-199999');
    assert.deepEqual(await exit, [0, null]);
  }
});

test('--tls auto serves with a certificate that its authority vouches for, renewed names after SIGHUP', async (t) => {
  const dataDir = await temporaryFolder(t);
  const server = await spawnRegistry({ dataDir, settings: { tls: 'auto', loginServer: 'registry.example' } });
  t.after(() => server.stop());
  assert.match(server.url, /^https:/);
  const authority = await readFile(join(dataDir, 'tls', 'authority.pem'), 'utf8');
  for (const servername of ['localhost', 'registry.example'])
    assert.equal(await statusOverTls(server.url, { ca: authority, servername }), 200, servername);
  await assert.rejects(statusOverTls(server.url, { ca: authority, servername: 'other.example' }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await assert.rejects(statusOverTls(server.url, { servername: 'localhost' }));
  process.kill(server.pid, 'SIGHUP');
  assert.equal(await statusOverTls(server.url, { ca: authority, servername: 'localhost' }), 200);
});

function start(t: TestContext, argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=source', main, ...argv], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function printed(child: ChildProcess, until: RegExp): Promise<string> {
  let output = '';
  if (child.stdout === null) throw new Error('no output');
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += String(chunk);
    if (until.test(output)) return output;
  }
  throw new Error(`the server ended: ${output}`);
}

function statusOverTls(url: string, options: { readonly ca?: string; readonly servername: string }): Promise<number | undefined> {
  const agent = new Agent({ ...options, maxCachedSessions: 0 });
  return new Promise((resolve, reject) => {
    get(new URL('/healthz', url), { agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    }).on('error', reject);
  }).finally(() => agent.destroy()) as Promise<number | undefined>;
}
