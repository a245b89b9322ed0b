import { startServer } from './assemble.ts';
import { Refusal } from './errors/index.ts';
import { helpText, loadSettings } from './settings/index.ts';
import { greeting } from './greeting.ts';

/** Reads arguments and environment, starts, waits for a signal, stops. Nothing else. */

if (process.argv.includes('--help')) console.log(helpText());
else await run();

async function run(): Promise<void> {
  try {
    const { settings } = loadSettings({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() });
    const server = await startServer(settings);
    console.log(greeting(server));
    const stop = (): void => {
      void server.stop().then(() => process.exit(0));
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`berth does not start: ${error.message}. Next: ${error.nextStep}.`);
    process.exitCode = 1;
  }
}
