import { Refusal } from './errors/index.ts';
import { greeting } from './greeting.ts';
import { createServer } from './server.ts';
import { explainSettings, helpText, loadSettings } from './settings/index.ts';
import { readVersion } from './version.ts';

/** Reads arguments and environment, starts, waits for a signal, stops. Nothing else. */

const argv = process.argv.slice(2);
if (argv.includes('--help')) console.log(helpText());
else if (argv.includes('--version')) console.log(readVersion());
else await run();

async function run(): Promise<void> {
  try {
    const loaded = loadSettings({ argv: argv.filter((each) => each !== '--explain'), env: process.env, cwd: process.cwd() });
    if (argv.includes('--explain')) console.log(explainSettings(loaded));
    else await serve(createServer(loaded.settings));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`berth does not start: ${error.message}.\nNext: ${error.nextStep}.`);
    process.exitCode = 1;
  }
}

async function serve(server: ReturnType<typeof createServer>): Promise<void> {
  const stop = (): void => {
    // What still runs after everything was closed must not keep the process.
    void server.stop().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const facts = await server.start();
  process.on('SIGHUP', () => void server.reloadCertificate().catch(() => undefined));
  console.log(greeting(facts));
}
