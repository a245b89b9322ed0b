import { CommandError } from './command-error.ts';
import { createProgram } from './program.ts';

try {
  await createProgram((line) => console.log(line), process.env).parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`berth: ${error.message}.`);
  if (error.nextStep !== undefined) console.error(`Next: ${error.nextStep}.`);
  process.exitCode = 1;
}
