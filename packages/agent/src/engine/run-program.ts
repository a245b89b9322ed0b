import { type ChildProcess, spawn } from 'node:child_process';
import { LineSplitter } from './line-splitter.ts';

export interface ProgramOptions {
  /** All that the program's environment holds. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Ends the program and everything that it started: politely, and after 5 s by force. */
  readonly signal?: AbortSignal;
  /** Gets every line as it comes; without it, what the program prints is gathered, up to a bound. */
  onLine?(stream: 'stdout' | 'stderr', line: string): void;
}

export interface ProgramEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** What it printed to its standard output; empty when lines were asked for. */
  readonly output: string;
  /** The last lines of both streams. */
  readonly lastLines: readonly string[];
}

const patienceMs = 5000;
const maxOutputLength = 4 * 1024 * 1024;
const keptLines = 20;

/** A program that could not be started. */
export class ProgramMissing extends Error {
  override readonly name = 'ProgramMissing';
}

/** Runs a program to its end, in a process group of its own. @throws ProgramMissing */
export async function runProgram(path: string, args: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  const child = spawn(path, args, {
    cwd: options.cwd,
    env: { ...options.environment },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // A group of its own: it can be ended with all that it starts, and a Ctrl-C at the agent does not reach it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const lastLines: string[] = [];
  let output = '';
  const take = (stream: 'stdout' | 'stderr', line: string): void => {
    lastLines.push(line);
    if (lastLines.length > keptLines) lastLines.shift();
    if (options.onLine !== undefined) options.onLine(stream, line);
    else if (stream === 'stdout' && output.length < maxOutputLength) output += `${line}\n`;
  };
  for (const stream of ['stdout', 'stderr'] as const) {
    const splitter = new LineSplitter((line) => take(stream, line));
    child[stream]?.on('data', (chunk: Buffer) => splitter.write(chunk));
    child[stream]?.on('end', () => splitter.end());
  }
  // A program that ends without reading its input is no failure of ours.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  const exitCode = await untilEnd(child, path, options.signal);
  return { exitCode, output, lastLines };
}

async function untilEnd(child: ChildProcess, path: string, signal: AbortSignal | undefined): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', (error) => reject(new ProgramMissing(`${path} cannot be started: ${error.message}`)));
  child.once('close', (code) => resolve(code));
  // What a program leaves behind may hold its streams open: its own end is followed by that of its group.
  child.once('exit', () => setTimeout(() => endGroup(child, 'SIGKILL'), 1000).unref());
  let force: NodeJS.Timeout | undefined;
  const end = (): void => {
    endGroup(child, 'SIGTERM');
    force = setTimeout(() => endGroup(child, 'SIGKILL'), patienceMs);
  };
  if (signal?.aborted === true) end();
  else signal?.addEventListener('abort', end, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(force);
    signal?.removeEventListener('abort', end);
  }
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It has ended already.
  }
}
