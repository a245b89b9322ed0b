import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { addAgentCommands } from './agent-commands.ts';
import { addLoginCommands } from './login-commands.ts';
import { addRunCommands } from './run-commands.ts';
import { addStorageCommands } from './storage-commands.ts';
import { addCleanupCommands } from './cleanup-commands.ts';
import { rotateKeys } from './commands/keys.ts';
import { scrub, showScrub } from './commands/scrub.ts';
import { serve } from './commands/serve.ts';
import { regeneratePassword, showStatus } from './commands/upkeep.ts';
import { type ConnectionOptions, findConnection } from './connection.ts';
import { type Asked, addDirectoryCommands } from './directory-commands.ts';
import { addTaskCommands } from './task-commands.ts';

/** The package's own. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

interface Globals extends ConnectionOptions {
  readonly json?: boolean;
}

/** The command line. `write` takes each line of output; the result of `parseAsync` is the program, exit codes go to `process.exitCode`. */
export function createProgram(write: (line: string) => void, environment: Readonly<Record<string, string | undefined>>): Command {
  const program = new Command('berth')
    .description('A private container registry to own and run anywhere.')
    .version(version())
    .option(
      '--data <folder>',
      'data folder of a server on this machine; otherwise BERTH_SERVER, BERTH_USERNAME, BERTH_PASSWORD or berth login say whom to ask',
    )
    .option('--registry <name>', 'one of several registries of a deployment, or a login server that you are signed in to')
    .option('--ca <file>', 'PEM file of an authority to trust')
    .option('--json', 'print results as JSON')
    .showHelpAfterError('Next: berth --help lists the commands.')
    .configureOutput({ outputError: (text, writeError) => writeError(text.replace(/^error: (.*?)\.?$/m, 'berth: $1.')) });
  const asked: Asked = () => {
    const globals = program.opts<Globals>();
    return { connection: findConnection(globals, environment), output: { isJson: globals.json === true, write } };
  };

  program
    .command('serve')
    .description('run the registry; berth serve --help lists its options')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action((_options: unknown, command: Command) => {
      const folder = program.opts<Globals>().data;
      serve([...(folder === undefined ? [] : ['--data', folder]), ...command.args]);
    });
  program
    .command('status')
    .description('say whether the server is ready')
    .action(async () => {
      const { connection, output } = asked();
      await showStatus(connection, output);
    });
  const keys = program.command('keys').description('the keys that seal what is stored');
  keys
    .command('rotate')
    .description('make a new wrapping key and rewrap the ring; no content is touched')
    .option('--data-key', 'instead make a new data key, for what is stored from now on')
    .action(async (options: { dataKey?: boolean }) => {
      const { connection, output } = asked();
      await rotateKeys(connection, output, options.dataKey === true ? 'data' : 'wrapping');
    });
  program
    .command('scrub')
    .description('reopen every stored part and manifest in the background and report damage; exit code 2 when there is some')
    .option('--pace <size>', 'bytes per second to read, such as 50MiB')
    .option('--wait', 'until it is done')
    .addOption(new Option('--status', 'only tell how far it is').conflicts(['pace', 'wait']))
    .action(async (options: { pace?: string; wait?: boolean; status?: boolean }) => {
      const { connection, output } = asked();
      const isSound =
        options.status === true
          ? await showScrub(connection, output)
          : await scrub(connection, output, { pace: options.pace, isWaiting: options.wait === true });
      if (!isSound) process.exitCode = 2;
    });
  addCleanupCommands(program, asked);
  addStorageCommands(program, asked);
  program
    .command('passwords')
    .description('the passwords of the admin user')
    .command('regenerate <password|password2>')
    .description('replace one of the two; the other stays')
    .action(async (slot: string) => {
      const { connection, output } = asked();
      await regeneratePassword(connection, output, slot);
    });
  addDirectoryCommands(program, asked);
  const askedScene = () => ({ ...asked(), environment });
  addRunCommands(program, askedScene);
  addTaskCommands(program, askedScene);
  addAgentCommands(program, asked);
  addLoginCommands(program, { write, environment });
  return program;
}
