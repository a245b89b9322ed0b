import { fileURLToPath } from 'node:url';
import { CommandError } from '../command-error.ts';

/** Becomes the agent, a program with the same arguments, as `berth serve` becomes the server. */
export function becomeAgent(argv: readonly string[]): never {
  const main = fileURLToPath(import.meta.resolve('@berth/agent/main'));
  const options = main.endsWith('.ts') ? ['--conditions=source'] : [];
  process.execve?.(process.execPath, [process.execPath, ...options, main, ...argv], process.env);
  throw new CommandError(
    'this Node.js cannot start the agent',
    'use Node.js 24 or newer, on Linux; elsewhere start @berth/agent itself',
  );
}
