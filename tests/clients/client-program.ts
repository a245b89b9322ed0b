import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of this machine: from the folders in BERTH_TEST_PROGRAMS first, then from PATH. */
export function findProgram(name: string): string | undefined {
  // Debian's docker client fits Debian's engine; another one that comes first in PATH may lack its plug-ins.
  const preferred = name === 'docker' ? ['/usr/bin'] : [];
  const folders = [process.env['BERTH_TEST_PROGRAMS'] ?? '', ...preferred, process.env['PATH'] ?? '', '/usr/sbin', '/sbin'];
  for (const folder of folders.flatMap((list) => list.split(delimiter))) {
    const path = join(folder, name);
    try {
      if (folder !== '') accessSync(path, constants.X_OK);
      if (folder !== '') return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Whether BERTH_REQUIRE says that this client must be there. */
export function isRequired(client: string): boolean {
  return (process.env['BERTH_REQUIRE'] ?? '').split(',').includes(client);
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Milliseconds; then the program is killed and the run fails. */
  readonly timeoutMs?: number;
  /** Is told what the program writes to its output, as it does. */
  readonly onOutput?: (text: string) => void;
}

/** What a program printed. */
export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

class ProgramFailed extends Error {
  override readonly name = 'ProgramFailed';
  readonly output: string;

  constructor(command: string, reason: string, output: string) {
    super(`${command}: ${reason}\n${output}`);
    this.output = output;
  }
}

/** Runs a program to its end; rejects with what it printed unless it exits with 0. */
export async function runProgram(path: string, args: readonly string[], options: RunOptions = {}): Promise<ProgramOutput> {
  const child = spawn(path, args, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    options.onOutput?.(chunk.toString('utf8'));
  });
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `exit code ${code}`}`));
  const failure = await promise;
  const bytes = Buffer.concat(stdout);
  const output = { stdout: bytes.toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8'), bytes };
  if (failure !== '') throw new ProgramFailed([path, ...args].join(' '), failure, `${output.stdout}${output.stderr}`);
  return output;
}
