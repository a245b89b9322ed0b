import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from './errors/index.ts';
import { collectLess, keepFreedMemory } from './platform/memory/index.ts';
import type { Server } from './server.ts';
import { explainSettings, helpText, loadSettings } from './settings/index.ts';

/** Reads arguments and environment, starts, waits for a signal, stops. Nothing else. */

const argv = process.argv.slice(2);
if (argv.includes('--help')) console.log(helpText());
else if (argv.includes('--version')) console.log((await import('./version.ts')).readVersion());
else await run();

async function run(): Promise<void> {
  try {
    const loaded = loadSettings({ argv: argv.filter((each) => each !== '--explain'), env: process.env, cwd: process.cwd() });
    if (argv.includes('--explain')) {
      console.log(explainSettings(loaded));
      return;
    }
    useMoreFileThreads();
    collectLess();
    keepFreedMemory();
    keepCompiledCode();
    const { createServer } = await import('./server.ts');
    await serve(createServer(loaded.settings));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`berth does not start: ${error.message}.\nNext: ${error.nextStep}.`);
    process.exitCode = 1;
  }
}

async function serve(server: Server): Promise<void> {
  const stop = (): void => {
    // What still runs after everything was closed must not keep the process.
    void server.stop().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const facts = await server.start();
  process.on('SIGHUP', () => void server.reloadCertificate());
  const { greeting } = await import('./greeting.ts');
  console.log(greeting(facts));
}

/**
 * Libuv's four threads do all that touches files. A sync holds one for as long as the disk takes, and four uploads that end
 * together would stop every other read and write. It counts as long as no thread has started.
 */
function useMoreFileThreads(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= '8';
}

/**
 * The second start finds its code compiled and is done in half the time. In a folder of this user's own: whoever can
 * write there decides what runs, so the system's shared temporary folder, Node's default, will not do.
 */
function keepCompiledCode(): void {
  const folder = process.env['NODE_COMPILE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'berth');
  enableCompileCache(folder);
  // For the database's writer thread.
  process.env['NODE_COMPILE_CACHE'] = folder;
}
