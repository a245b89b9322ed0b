import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from './client-program.ts';
import type { ClientSession } from './client-suite.ts';
import { stopDaemon } from './daemon.ts';

/** A private containerd: own socket, content and snapshots. */
export interface ContainerdEngine {
  readonly socket: string;
  stop(): Promise<void>;
}

export async function startContainerd(session: ClientSession): Promise<ContainerdEngine> {
  const folder = join(tmpdir(), `berth-containerd-${process.pid}-${session.target.transport}`);
  await mkdir(folder, { recursive: true });
  const socket = join(folder, 'c.sock');
  const config = [
    'version = 2',
    `root = "${join(folder, 'root')}"`,
    `state = "${join(folder, 'state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
    `[grpc]\naddress = "${socket}"`,
    `[ttrpc]\naddress = "${socket}.ttrpc"`,
  ];
  await writeFile(join(folder, 'config.toml'), `${config.join('\n')}\n`);
  const daemon = spawn(
    findProgram('containerd') ?? 'containerd',
    ['--config', join(folder, 'config.toml'), '--log-level', 'error'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const said: string[] = [];
  daemon.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const stop = async (): Promise<void> => {
    await stopDaemon(daemon, folder);
    await rm(folder, { recursive: true, force: true });
  };
  const ended = once(daemon, 'exit').then(() => false);
  // containerd tells nobody when it is ready; it must be asked.
  const asked = (async (): Promise<boolean> => {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if ((await session.run('ctr', ['--address', socket, 'version']).catch(() => undefined)) !== undefined) return true;
      await pause(100);
    }
    return false;
  })();
  if (await Promise.race([asked, ended])) return { socket, stop };
  await stop();
  throw new Error(`containerd did not start:\n${said.join('')}`);
}
