import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const program = fileURLToPath(new URL('../../packages/cli/bin/berth.js', import.meta.url));

export interface BerthRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a folder without a data folder in it. */
  readonly cwd?: string;
}

/** With nothing of this process's settings in it. */
export function environmentOf(env: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...env };
}

/** Runs `berth` as a person does, and sees that it keeps the password of its environment to itself. */
export async function runBerth(args: readonly string[], { env, cwd = import.meta.dirname }: RunOptions = {}): Promise<BerthRun> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: environmentOf(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
  ]);
  const password = env?.['BERTH_PASSWORD'] ?? '';
  assert.ok(password === '' || !`${stdout}${stderr}`.includes(password), 'it shows the password');
  return { code, stdout, stderr };
}

/** What it prints when it succeeds. */
export function succeeded({ code, stdout, stderr }: BerthRun): string {
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout);
  return stdout;
}

export interface Failure {
  readonly why: string;
  readonly next: string;
}

/** What it prints when it fails: one sentence, one next step, nothing else. */
export function failed({ code, stdout, stderr }: BerthRun): Failure {
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, stderr);
  const [, why = '', next = ''] = /^berth: ([^\n]+)\.\nNext: ([^\n]+)\.\n$/.exec(stderr) ?? assert.fail(stderr);
  return { why, next };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}
