import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A private Docker engine whose containers have networks of their own. It adds rules for them to the host's packet filters. */
export interface DockerDaemon {
  /** What DOCKER_HOST says. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Why none can be started here; undefined when one can. */
export function missingForDocker(): string | undefined {
  if (process.getuid?.() !== 0) return 'dockerd needs root';
  const missing = ['dockerd', 'ip'].filter((name) => findProgram(name) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

/** Starts one with its own bridge, socket, images and control group. */
export async function startDockerDaemon(): Promise<DockerDaemon> {
  const name = `berth${randomBytes(3).toString('hex')}`;
  // Short: the path of a Unix socket has 107 characters at the most.
  const folder = join(tmpdir(), `${name}-dockerd`);
  await mkdir(folder, { recursive: true });
  const block = randomInt(64, 250);
  const ip = findProgram('ip') ?? 'ip';
  execFileSync(ip, ['link', 'add', 'name', name, 'type', 'bridge']);
  execFileSync(ip, ['address', 'add', `10.${block}.0.1/24`, 'dev', name]);
  execFileSync(ip, ['link', 'set', name, 'up']);
  const pools = [{ base: `10.${block}.128.0/17`, size: 27 }];
  await writeFile(join(folder, 'daemon.json'), JSON.stringify({ 'default-address-pools': pools }));
  const socket = join(folder, 'docker.sock');
  const options = {
    'config-file': join(folder, 'daemon.json'),
    host: `unix://${socket}`,
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    'cgroup-parent': `/${name}`,
    bridge: name,
    // Where another engine drops what it does not know, the packets of this one's bridges need rules of their own.
    iptables: 'true',
    ip6tables: 'false',
    'ip-forward': 'false',
    'ip-masq': 'false',
    'log-level': 'error',
  };
  const args = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  const daemon = spawn(findProgram('dockerd') ?? 'dockerd', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  const stop = async (): Promise<void> => {
    await end(daemon);
    unmountBelow(folder);
    execFileSync(ip, ['link', 'delete', name]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(daemon, socket);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: `unix://${socket}`, stop };
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exited = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const patience = setTimeout(() => daemon.kill('SIGKILL'), 20_000);
  await exited;
  clearTimeout(patience);
}

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

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
