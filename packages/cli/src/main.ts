import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

// Most of a short command's time is loading: what was compiled once stays, in a folder that only this user writes.
enableCompileCache(
  process.env['NODE_COMPILE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'berth'),
);

// Whoever read the output has seen enough: `berth logs … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

try {
  const { createProgram } = await import('./program.ts');
  await createProgram((line) => console.log(line), process.env).parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`berth: ${error.message}.`);
  for (const line of error.details) console.error(line);
  if (error.nextStep !== undefined) console.error(`Next: ${error.nextStep}.`);
  process.exitCode = error.exitCode;
}
