import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ProgramOutput, type RunOptions, findProgram, runProgram } from '../clients/client-program.ts';
import { stopDaemon } from '../clients/daemon.ts';
import type { TestNetwork } from './test-network.ts';

/** A whole Docker engine for tests of tasks: with bridges and names, in a network of its own. */
export interface DockerDaemon {
  /** `unix://…`, as DOCKER_HOST has it. */
  readonly host: string;
  docker(args: readonly string[], options?: RunOptions): Promise<ProgramOutput>;
  /** Ids of everything that carries this label: containers, networks, volumes. */
  labelled(label: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** @param registries `host:port` of registries that are spoken to without TLS */
export async function startDockerDaemon(network: TestNetwork, registries: readonly string[]): Promise<DockerDaemon> {
  // The path of a Unix socket has 107 characters at the most.
  const folder = await mkdtemp(join(tmpdir(), 'berth-engine-'));
  await writeFile(join(folder, 'daemon.json'), JSON.stringify({ 'insecure-registries': registries }));
  const host = `unix://${join(folder, 'docker.sock')}`;
  const options = {
    'config-file': join(folder, 'daemon.json'),
    host,
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    'cgroup-parent': `/berth-tasks-${process.pid}`,
    'log-level': 'error',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const [command, ...before] = [...network.startedBy, findProgram('dockerd') ?? 'dockerd'];
  const daemon = spawn(command, [...before, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  const client = findProgram('docker') ?? 'docker';
  const docker = (more: readonly string[], how: RunOptions = {}): Promise<ProgramOutput> =>
    runProgram(client, ['--host', host, ...more], { ...how, env: { DOCKER_CONFIG: join(folder, 'config'), ...how.env } });
  const stop = async (): Promise<void> => {
    await stopDaemon(daemon, folder);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(daemon, docker);
  } catch (error) {
    await stop();
    throw error;
  }
  const labelled = async (label: string): Promise<readonly string[]> => {
    const filter = ['--quiet', '--filter', `label=${label}`];
    const lists = [
      ['ps', '--all'],
      ['network', 'ls'],
      ['volume', 'ls'],
    ];
    const found = await Promise.all(lists.map((list) => docker([...list, ...filter])));
    return found.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''));
  };
  return { host, docker, labelled, stop };
}

/** The engine tells nobody when it is ready; it must be asked. */
async function untilReady(daemon: ChildProcess, docker: DockerDaemon['docker']): Promise<void> {
  const said: string[] = [];
  daemon.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = once(daemon, 'exit').then(() => {
    throw new Error(`dockerd ended at its start:\n${said.join('')}`);
  });
  const asked = (async (): Promise<void> => {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      if ((await docker(['version']).catch(() => undefined)) !== undefined) return;
      await pause(100);
    }
    throw new Error(`dockerd is not ready after 30 s:\n${said.join('')}`);
  })();
  await Promise.race([asked, ended]);
}
