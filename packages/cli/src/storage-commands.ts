import type { Command } from 'commander';
import { type AuditOptions, showAudit } from './commands/audit.ts';
import { collectGarbage } from './commands/upkeep.ts';
import { showUsage } from './commands/usage.ts';
import type { Connection } from './connection.ts';
import type { Output } from './output.ts';

type Ask = () => { readonly connection: Connection; readonly output: Output };

/** `berth usage`, `berth audit` and `berth gc`: what is stored, what happened, and what need not be kept. */
export function addStorageCommands(program: Command, asked: Ask): void {
  program
    .command('usage')
    .description('what the registry stores and serves')
    .action(async () => {
      const { connection, output } = asked();
      await showUsage(connection, output);
    });
  program
    .command('audit')
    .description('who did what in the registry, the newest first')
    .option('--from <time>', 'not before, such as 2030-01-31T12:00:00Z')
    .option('--to <time>', 'not after')
    .option('--operation <name>', 'such as Push, Pull, Delete, Untag, Login')
    .option('--repository <name>')
    .option('--identity <name>')
    .option('-n <count>', 'how many at the most')
    .action(async (options: AuditOptions) => {
      const { connection, output } = asked();
      await showAudit(connection, output, options);
    });
  program
    .command('gc')
    .description('collect the garbage that is due, without waiting for the next round')
    .action(async () => {
      const { connection, output } = asked();
      await collectGarbage(connection, output);
    });
}
