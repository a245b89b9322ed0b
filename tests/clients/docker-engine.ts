import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientSession } from './client-suite.ts';
import { findProgram } from './client-program.ts';
import { stopDaemon } from './daemon.ts';

/** A private Docker engine: own socket, images and containers; it touches neither bridges nor packet filters of the host. */
export interface DockerEngine {
  /** The `--host` option for clients. */
  readonly host: string;
  stop(): Promise<void>;
}

export async function startDockerEngine(session: ClientSession): Promise<DockerEngine> {
  // Not below the session's folder: the path of a Unix socket has 107 characters at the most.
  const folder = join(tmpdir(), `berth-dockerd-${process.pid}-${session.target.transport}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'daemon.json'), JSON.stringify({ 'insecure-registries': [session.target.host] }));
  const socket = join(folder, 'docker.sock');
  const program = findProgram('dockerd') ?? 'dockerd';
  const options = {
    'config-file': join(folder, 'daemon.json'),
    host: `unix://${socket}`,
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    'cgroup-parent': '/berth-clients',
    bridge: 'none',
    iptables: 'false',
    ip6tables: 'false',
    'ip-forward': 'false',
    'ip-masq': 'false',
    'log-level': 'error',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const daemon = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  const stop = async (): Promise<void> => {
    await stopDaemon(daemon, folder);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(session, daemon, `unix://${socket}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: `unix://${socket}`, stop };
}

/** The engine tells nobody when it is ready; it must be asked. */
async function untilReady(session: ClientSession, daemon: ChildProcess, host: string): Promise<void> {
  const said: string[] = [];
  daemon.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = once(daemon, 'exit').then(() => {
    throw new Error(`dockerd ended at its start:\n${said.join('')}`);
  });
  const asked = (async (): Promise<void> => {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const answer = await session.run('docker', ['--host', host, 'version']).catch(() => undefined);
      if (answer !== undefined) return;
      await pause(100);
    }
    throw new Error(`dockerd is not ready after 30 s:\n${said.join('')}`);
  })();
  await Promise.race([asked, ended]);
}
