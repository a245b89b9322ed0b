import { CommandError } from './command-error.ts';
import { createProgram } from './program.ts';

// Whoever read the output has seen enough: `berth logs … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

try {
  const args = process.argv.slice(2);
  const program = await createProgram({ write: (line) => console.log(line), environment: process.env, args });
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`berth: ${error.message}.`);
  for (const line of error.details) console.error(line);
  if (error.nextStep !== undefined) console.error(`Next: ${error.nextStep}.`);
  process.exitCode = error.exitCode;
}
