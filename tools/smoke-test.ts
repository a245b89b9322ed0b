import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts a server with Node alone, pushes and pulls a blob, and stops it. Throws when any of it goes wrong. */
export async function smokeTest(main: string, dataDir: string): Promise<void> {
  const options = ['--port', '0', '--host', '127.0.0.1', '--data', dataDir];
  const server = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const origin = await addressOf(server);
    const { username, password } = JSON.parse(readFileSync(join(dataDir, 'first-run.json'), 'utf8')) as Record<string, string>;
    const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    const content = randomBytes(3_000_000);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const pushed = await fetch(`${origin}/v2/smoke/test/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      headers,
      body: content,
    });
    assert.equal(pushed.status, 201, await pushed.text());
    const pulled = await fetch(`${origin}/v2/smoke/test/blobs/${digest}`, { headers });
    assert.equal(pulled.status, 200);
    assert.deepEqual(Buffer.from(await pulled.arrayBuffer()), content);
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], 'the server did not stop cleanly');
  } finally {
    server.kill('SIGKILL');
  }
}

/** The address that the server prints when it is ready. */
async function addressOf(server: ChildProcess): Promise<string> {
  const { stdout } = server;
  if (stdout === null) throw new Error('the server has no stdout');
  const said: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    said.push(line);
    const [address] = /https?:\/\/[\w.]+:\d+/.exec(line) ?? [];
    if (address === undefined) continue;
    stdout.resume();
    return address;
  }
  throw new Error(`the server ended before it was ready:\n${said.join('\n')}`);
}
