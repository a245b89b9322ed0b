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
  /** Gets the bytes of the standard output instead of its lines. When it fails, the program is ended and the failure thrown. */
  readOutput?(output: AsyncIterable<Buffer>): Promise<void>;
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
  const { readOutput } = options;
  const reading = readOutput === undefined || child.stdout === null ? undefined : readOrEnd(child, readOutput(child.stdout));
  for (const stream of reading === undefined ? (['stdout', 'stderr'] as const) : (['stderr'] as const)) {
    const splitter = new LineSplitter((line) => take(stream, line));
    child[stream]?.on('data', (chunk: Buffer) => splitter.write(chunk));
    child[stream]?.on('end', () => splitter.end());
  }
  // A program that ends without reading its input is no failure of ours.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  const exitCode = await untilEnd(child, path, options.signal);
  const failure = await reading;
  // What a program that failed printed may well be unreadable: its own reason counts.
  if (failure !== undefined && (failure.isCause || exitCode === 0)) throw failure.error;
  return { exitCode, output, lastLines };
}

interface ReadFailure {
  readonly error: unknown;
  /** Else the program had said all that it had to say. */
  readonly isCause: boolean;
}

/** What was wrong with the reading: told once the program, which nobody reads any more, has ended. */
async function readOrEnd(child: ChildProcess, reading: Promise<void>): Promise<ReadFailure | undefined> {
  try {
    await reading;
    return undefined;
  } catch (error) {
    const isCause = child.stdout?.readableEnded !== true;
    child.stdout?.destroy();
    if (isCause) endGroup(child, 'SIGTERM');
    return { error, isCause };
  }
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
