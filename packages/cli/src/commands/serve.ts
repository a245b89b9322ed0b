import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** MiB. Room for new objects costs three times itself in memory; more than this gains the server nothing. */
const youngHeap = '--max-semi-space-size=16';

/**
 * Runs the server as a program of its own, with the same arguments; signals are passed on. Resolves with its exit code.
 * The command line speaks HTTP to servers and knows nothing of their insides (architecture 3).
 */
export async function serve(argv: readonly string[]): Promise<number> {
  const main = fileURLToPath(import.meta.resolve('@berth/server/main'));
  const options = main.endsWith('.ts') ? ['--conditions=source', youngHeap] : [youngHeap];
  const child = spawn(process.execPath, [...options, main, ...argv], {
    stdio: 'inherit',
  });
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, pass);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
