import { fileURLToPath } from 'node:url';
import { CommandError } from '../command-error.ts';

/** MiB. Room for new objects costs three times itself in memory; more than this gains the server nothing. */
const youngHeap = '--max-semi-space-size=16';

/**
 * Becomes the server, a program with the same arguments: were it a child, Ctrl-C in a terminal would reach it twice, once
 * passed on, and the second would end it in the middle of its work. The command line speaks HTTP to servers and knows
 * nothing of their insides (architecture 3).
 */
export function serve(argv: readonly string[]): never {
  const main = fileURLToPath(import.meta.resolve('@berth/server/main'));
  const options = main.endsWith('.ts') ? ['--conditions=source', youngHeap] : [youngHeap];
  process.execve?.(process.execPath, [process.execPath, ...options, main, ...argv], process.env);
  throw new CommandError('this Node.js cannot start the server', 'use Node.js 24 or newer, on Linux');
}
