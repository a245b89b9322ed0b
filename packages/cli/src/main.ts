import { CommandError } from './command-error.ts';
import { createProgram } from './program.ts';

try {
  await createProgram((line) => console.log(line), process.env).parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`berth: ${error.message}.`);
  for (const line of error.details) console.error(line);
  if (error.nextStep !== undefined) console.error(`Next: ${error.nextStep}.`);
  process.exitCode = error.exitCode;
}
