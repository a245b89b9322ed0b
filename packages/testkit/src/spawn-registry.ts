import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface SpawnOptions {
  readonly dataDir: string;
  /** Settings by name (`garbageDelay`), as texts. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Variables for the program beside those of this one. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the program is started by, such as `nsenter --net=…`: it must become the program. */
  readonly startedBy?: readonly string[];
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** A registry in a process of its own. */
export interface SpawnedRegistry {
  readonly url: string;
  /** Host and port, as image names begin. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly dataDir: string;
  readonly pid: number;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: as a power cut, but for what the system keeps in memory. */
  kill(): Promise<void>;
}

const startMs = 30_000;

/** The server program: the sources, or the file that BERTH_TEST_MAIN names (a build). */
function program(): readonly string[] {
  const built = process.env['BERTH_TEST_MAIN'];
  if (built !== undefined) return [built];
  return ['--conditions=source', fileURLToPath(import.meta.resolve('@berth/server/main'))];
}

/** Starts the server program on a free port and resolves when it answers. Rejects with what it printed if it does not start. */
export async function spawnRegistry({
  dataDir,
  settings = {},
  env: more = {},
  startedBy = [],
  host = '127.0.0.1',
  port = 0,
}: SpawnOptions): Promise<SpawnedRegistry> {
  const variables = Object.entries(settings).map(([name, value]) => [
    `BERTH_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    value,
  ]);
  const env = { ...process.env, BERTH_LOG_LEVEL: 'warn', BERTH_AGENT: 'off', ...Object.fromEntries(variables), ...more };
  const where = ['--data', dataDir, '--host', host, '--port', String(port)];
  const [command = '', ...args] = [...startedBy, process.execPath, ...program(), ...where];
  const child = spawn(command, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    if (errors.length > 200) errors.shift();
  });
  const url = await firstLine(child, errors);
  const first = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8')) as { username: string; password: string };
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    }
    return child.exitCode;
  };
  return {
    url,
    host: new URL(url).host,
    username: first.username,
    password: first.password,
    dataDir,
    pid: child.pid ?? 0,
    stop: () => ended('SIGTERM'),
    kill: async () => {
      await ended('SIGKILL');
    },
  };
}

function firstLine(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }, errors: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), startMs);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`the registry did not start (${code ?? signal}): ${errors.join('').slice(-4000)}`));
    });
    createInterface(child.stdout).on('line', (line) => {
      const url = /^berth listens on (\S+)$/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}
