import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

const main = fileURLToPath(new URL('main.ts', import.meta.url));

describe('the program of the agent', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-main-'));
    // Buildah that answers what the agent asks: which engine is there is not what is tested here.
    const program = join(folder, 'buildah');
    writeFileSync(
      program,
      `#!/bin/sh\ncase "$1" in info) echo '{"host":{"arch":"amd64","os":"linux"}}';; *) echo "buildah version 1.28.2";; esac\n`,
    );
    chmodSync(program, 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (argv: readonly string[], environment: Readonly<Record<string, string>>, path = folder): ChildProcess =>
    spawn(process.execPath, ['--conditions=source', main, ...argv], {
      env: { PATH: path, HOME: folder, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  const untilEnd = async (child: ChildProcess): Promise<Ended> => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };

  test('explains itself, and refuses with a next step', async () => {
    const help = await untilEnd(start(['--help'], {}));
    assert.equal(help.code, 0);
    assert.match(help.output, /BERTH_AGENT_KEY_FILE=/);
    const refused = await untilEnd(start([], { BERTH_SERVER: 'https://x' }));
    assert.equal(refused.code, 1);
    assert.match(refused.output, /the agent ends: there is no key to sign in with\.\nNext: make one with/);
  });

  test('ends with 3 when there is no engine', async () => {
    const { code, output } = await untilEnd(
      start(['--work', join(folder, 'none')], { BERTH_SERVER: 'https://x', BERTH_AGENT_KEY: 'k' }, '/nonexistent'),
    );
    assert.equal(code, 3, output);
    assert.match(output, /no container engine/);
  });

  for (const [how, environment, end] of [
    ['its standard input ends', { BERTH_AGENT_PARENT: 'stdin' }, (child: ChildProcess) => child.stdin?.end()],
    ['it gets SIGTERM', {}, (child: ChildProcess) => child.kill('SIGTERM')],
  ] as const)
    test(`works until ${how}, then goes in order`, async () => {
      // It answers nothing: what is tested is that a claim that waits does not keep the agent.
      const server = createServer(() => {});
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const work = join(folder, `work-${Object.keys(environment).length}`);
      const child = start(['--work', work, '--engine', 'buildah'], {
        BERTH_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        BERTH_AGENT_KEY: 'k',
        ...environment,
      });
      assert.ok(child.stdout !== null);
      const ended = untilEnd(child);
      const asked = once(server, 'request');
      for await (const line of createInterface(child.stdout)) if (line.includes('works for')) break;
      const early = await Promise.race([asked.then(() => undefined), ended]);
      if (early !== undefined) assert.fail(early.output);
      assert.ok(existsSync(join(work, 'agent.lock')));
      end(child);
      const { code } = await ended;
      assert.equal(code, 0);
      assert.ok(!existsSync(join(work, 'agent.lock')));
      server.closeAllConnections();
      server.close();
    });
});
