import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from './find-program.ts';
import type { TestNetwork } from './test-network.ts';

/** A whole Docker engine: with bridges and names, in a network of its own. */
export interface DockerDaemon {
  /** `unix://…`, as DOCKER_HOST has it. */
  readonly host: string;
  readonly folder: string;
  stop(): Promise<void>;
}

/** Registries that an engine would otherwise not speak to. */
export interface EngineTrust {
  /** `host:port` of registries that are spoken to without TLS. */
  readonly insecure?: readonly string[];
  /** PEM file of the authority that is trusted instead of the machine's. */
  readonly authorityFile?: string;
}

/** Takes root. */
export async function startDockerDaemon(
  network: TestNetwork,
  { insecure = [], authorityFile }: EngineTrust,
): Promise<DockerDaemon> {
  // Short: the path of a Unix socket has 107 characters at the most.
  const folder = await mkdtemp(join(tmpdir(), 'berth-engine-'));
  await writeFile(join(folder, 'daemon.json'), JSON.stringify({ 'insecure-registries': insecure }));
  const socket = join(folder, 'docker.sock');
  const options = {
    'config-file': join(folder, 'daemon.json'),
    host: `unix://${socket}`,
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    'cgroup-parent': `/berth-engine-${process.pid}`,
    'log-level': 'error',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const [command, ...before] = [...network.startedBy, findProgram('dockerd') ?? 'dockerd'];
  const daemon = spawn(command, [...before, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
      ...(authorityFile !== undefined && { SSL_CERT_FILE: authorityFile }),
    },
  });
  const stop = async (): Promise<void> => {
    await end(daemon);
    unmountBelow(folder);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(daemon, socket);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: `unix://${socket}`, folder, stop };
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exited = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const patience = setTimeout(() => daemon.kill('SIGKILL'), 20_000);
  await exited;
  clearTimeout(patience);
}

/** Takes away whatever a daemon left mounted, the deepest first. */
function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  const inside = mounts.filter((path) => path.startsWith(`${folder}/`)).toSorted((a, b) => b.length - a.length);
  for (const path of inside) execFileSync('umount', ['--lazy', path]);
}

/** The engine tells nobody when it is ready; it must be asked. */
async function untilReady(daemon: ChildProcess, socket: string): Promise<void> {
  const said: string[] = [];
  daemon.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (daemon.exitCode !== null) break;
    if (await answers(socket)) return;
    await pause(100);
  }
  throw new Error(`dockerd is not ready:\n${said.join('')}`);
}

async function answers(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const connection = connect(socket, () => connection.write('GET /_ping HTTP/1.0\r\n\r\n'));
  connection.setTimeout(1000, () => resolve(false));
  connection.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').includes(' 200 ')));
  connection.once('error', () => resolve(false));
  connection.once('close', () => resolve(false));
  const isReady = await promise;
  connection.destroy();
  return isReady;
}
