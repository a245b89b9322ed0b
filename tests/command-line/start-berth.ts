import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { type BerthRun, type RunOptions, environmentOf, program } from './run-berth.ts';

/** `berth` while it runs. */
export interface StartedBerth {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  /** Resolves when it has printed this; rejects when it ends before. */
  printed(text: string | RegExp): Promise<void>;
  ended(): Promise<BerthRun>;
}

/** Starts `berth`, for what goes on while others do something. It ends with the test. */
export function startBerth(
  t: TestContext,
  args: readonly string[],
  { env, cwd = import.meta.dirname, input = '' }: RunOptions & { readonly input?: string } = {},
): StartedBerth {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: environmentOf(env),
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined).end(input);
  const said = { stdout: '', stderr: '' };
  const closed = once(child, 'close') as Promise<[number | null]>;
  const isThere = (text: string | RegExp): boolean => {
    const all = said.stdout + said.stderr;
    return typeof text === 'string' ? all.includes(text) : text.test(all);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return {
    child,
    stdout: () => said.stdout,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (isThere(text)) resolve();
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        look();
        void closed.then(() => reject(new Error(`it ended without ${text}:\n${said.stdout}${said.stderr}`)));
      }),
    ended: async () => {
      const [code] = await closed;
      return { code, ...said };
    },
  };
}
