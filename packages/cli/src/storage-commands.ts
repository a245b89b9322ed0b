import type { Command } from 'commander';
import { collectGarbage } from './commands/upkeep.ts';
import { showUsage } from './commands/usage.ts';
import type { Connection } from './connection.ts';
import type { Output } from './output.ts';

type Ask = () => { readonly connection: Connection; readonly output: Output };

/** `berth usage` and `berth gc`: what is stored, and what need not be. */
export function addStorageCommands(program: Command, asked: Ask): void {
  program
    .command('usage')
    .description('what the registry stores and serves')
    .action(async () => {
      const { connection, output } = asked();
      await showUsage(connection, output);
    });
  program
    .command('gc')
    .description('collect the garbage that is due, without waiting for the next round')
    .action(async () => {
      const { connection, output } = asked();
      await collectGarbage(connection, output);
    });
}
