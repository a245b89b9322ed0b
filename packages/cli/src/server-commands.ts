import { type Command, Option } from 'commander';
import { rotateKeys } from './commands/keys.ts';
import { scrub, showScrub } from './commands/scrub.ts';
import { serve } from './commands/serve.ts';
import { regeneratePassword, showStatus } from './commands/upkeep.ts';
import type { Asked } from './directory-commands.ts';

/** `berth serve`, `berth status`, `berth keys …` and `berth scrub`. */
export function addServerCommands(program: Command, asked: Asked): void {
  program
    .command('serve')
    .description('run the registry; berth serve --help lists its options')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action((_options: unknown, command: Command) => {
      const folder = program.opts<{ data?: string }>().data;
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
}

/** `berth passwords …`. */
export function addPasswordCommands(program: Command, asked: Asked): void {
  program
    .command('passwords')
    .description('the passwords of the admin user')
    .command('regenerate <password|password2>')
    .description('replace one of the two; the other stays')
    .action(async (slot: string) => {
      const { connection, output } = asked();
      await regeneratePassword(connection, output, slot);
    });
}
