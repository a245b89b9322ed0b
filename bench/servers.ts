import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './registry-session.ts';

/** A server process that the bench started and will stop. */
export interface RunningServer {
  readonly target: Target;
  readonly pid: number;
  /** From spawning the process to its first answer. */
  readonly startMs: number;
  /** Stops the process and keeps its data. */
  stop(): Promise<void>;
  /** Stops the process and removes its data. */
  dispose(): Promise<void>;
}

const root = fileURLToPath(new URL('../', import.meta.url));

export interface BerthOptions {
  readonly dataDir?: string;
  readonly profileTo?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Further settings, by their variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts Berth as `npm start` does: encryption, authentication and durability on. A profile costs it a few percent. */
export async function startBerth(options: BerthOptions = {}): Promise<RunningServer> {
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'berth-bench-')));
  const port = options.port ?? (await freePort());
  const profile = options.profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileTo}`];
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const asStarted = scripts.start.split(' ').slice(1, -1);
  const main = join(root, scripts.start.split(' ').at(-1) ?? '');
  const argv = [...profile, ...asStarted, main, '--data', folder, '--port', String(port), '--host', '127.0.0.1'];
  const server = await start({ name: 'berth', command: process.execPath, argv, folder, port, env: options.env ?? {} });
  const firstRun = JSON.parse(await readFile(join(folder, 'first-run.json'), 'utf8')) as { username: string; password: string };
  return { ...server, target: { ...server.target, credentials: { username: firstRun.username, password: firstRun.password } } };
}

/** Starts Debian's docker-registry, or another build of it given by path, with delete on and neither TLS nor sign-in. */
export async function startPeer(program: string): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'peer-bench-'));
  const port = await freePort();
  const config = join(folder, 'config.yml');
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${join(folder, 'data')} }, delete: { enabled: true } }`,
    `http: { addr: 127.0.0.1:${port} }`,
  ];
  await mkdir(join(folder, 'data'));
  const file = await open(config, 'w');
  await file.writeFile(`${lines.join('\n')}\n`);
  await file.close();
  return start({ name: 'peer', command: program, argv: ['serve', config], folder, port, env: {} });
}

async function start(options: {
  name: string;
  command: string;
  argv: string[];
  folder: string;
  port: number;
  env: Readonly<Record<string, string>>;
}): Promise<RunningServer> {
  const began = performance.now();
  const errors = await open(join(options.folder, 'bench.log'), 'a');
  const env = { ...process.env, ...options.env };
  const child = spawn(options.command, options.argv, { stdio: ['ignore', errors.fd, errors.fd], env });
  const url = new URL(`http://127.0.0.1:${options.port}`);
  try {
    await firstAnswer(url, child, began);
  } catch (error) {
    const log = await readFile(join(options.folder, 'bench.log'), 'utf8');
    throw new Error(`${options.command} did not start:\n${log.slice(-2000)}`, { cause: error });
  } finally {
    await errors.close();
  }
  const startMs = performance.now() - began;
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return {
    target: { name: options.name, url },
    pid: child.pid ?? 0,
    startMs,
    stop,
    dispose: async () => {
      await stop();
      await rm(options.folder, { recursive: true, force: true });
    },
  };
}

/** Asks `/v2/` until somebody answers: any status will do. */
async function firstAnswer(url: URL, child: ChildProcess, began: number): Promise<void> {
  while (performance.now() - began < 60_000) {
    if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`);
    if (await answers(url)) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('no answer within a minute');
}

function answers(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(new URL('/v2/', url), (answer) => {
      answer.resume();
      resolve(true);
    });
    request.on('error', () => resolve(false));
  });
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
