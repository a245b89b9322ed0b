import { type Command, Option } from 'commander';
import { type RuleOptions, deleteRule, listRules, previewCleanup, runCleanup, setRule } from './commands/cleanup.ts';
import { deleteSchedule, listSchedules, setSchedule } from './commands/purge-schedules.ts';
import { type PurgeOptions, purge } from './commands/purge.ts';
import type { Connection } from './connection.ts';
import { gather, wholeNumber } from './option-values.ts';
import type { Output } from './output.ts';

type Ask = () => { readonly connection: Connection; readonly output: Output };

/** `berth purge`, `berth purge-schedule …` and `berth cleanup …`: what deletes by rules. */
export function addCleanupCommands(program: Command, asked: Ask): void {
  const purging = withPurgeOptions(
    program
      .command('purge')
      .description('untag and delete what is old, as acr purge does; exit code 2 when something could not be deleted'),
  ).option('--dry-run', 'only show what would go');
  // acr purge has them; the server does this work itself, and needs none.
  for (const flags of ['--concurrency <n>', '--repository-page-size <n>', '--filter-timeout-seconds <n>'])
    purging.addOption(new Option(flags).hideHelp());
  purging.action(async (options: PurgeOptions) => {
    const { connection, output } = asked();
    if (!(await purge(connection, output, options))) process.exitCode = 2;
  });

  addPurgeSchedules(program, asked);
  const cleanup = program.command('cleanup').description('the rules by which the registry cleans itself up');
  cleanup
    .command('list')
    .description('show the rules')
    .action(async () => {
      const { connection, output } = asked();
      await listRules(connection, output);
    });
  withRuleOptions(cleanup.command('set <name>').description('make a rule, or replace it'))
    .option('--disabled', 'keep the rule without applying it')
    .action(async (name: string, { disabled, ...options }: RuleOptions & { disabled?: boolean }) => {
      const { connection, output } = asked();
      await setRule(connection, output, { name, isEnabled: disabled !== true, options });
    });
  cleanup
    .command('delete <name>')
    .description('delete a rule')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await deleteRule(connection, output, name);
    });
  withRuleOptions(
    cleanup.command('preview').description('show what the enabled rules together, or one given by options, would delete now'),
  ).action(async (options: RuleOptions) => {
    const { connection, output } = asked();
    await previewCleanup(connection, output, options);
  });
  cleanup
    .command('run')
    .description('apply the rules and the retention policy now; exit code 2 when something could not be deleted')
    .action(async () => {
      const { connection, output } = asked();
      if (!(await runCleanup(connection, output))) process.exitCode = 2;
    });
}

function addPurgeSchedules(program: Command, asked: Ask): void {
  const schedules = program.command('purge-schedule').description('purges that the server runs by the clock');
  schedules
    .command('list')
    .description('show the schedules, when they come next and what they did last')
    .action(async () => {
      const { connection, output } = asked();
      await listSchedules(connection, output);
    });
  withPurgeOptions(
    schedules
      .command('set <name>')
      .description('make a schedule, or replace it')
      .requiredOption('--cron <schedule>', "five fields in UTC, such as '0 1 * * Sun'"),
  ).action(async (name: string, { cron, ...options }: PurgeOptions & { readonly cron: string }) => {
    const { connection, output } = asked();
    await setSchedule(connection, output, { name, cron, options });
  });
  schedules
    .command('delete <name>')
    .description('delete a schedule')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await deleteSchedule(connection, output, name);
    });
}

function withPurgeOptions(command: Command): Command {
  return command
    .option(
      '-f, --filter <repository:tag>',
      "regular expressions that match whole names, such as 'app/.*:v.*'; repeatable",
      gather,
    )
    .option('--ago <duration>', 'only what was last updated longer ago, such as 30d or 1d3h15m')
    .option('--keep <n>', 'the newest of what would go stay, so many in each repository', wholeNumber)
    .option('--untagged', 'also delete manifests without a tag')
    .addOption(new Option('--untagged-only', 'only delete manifests without a tag').conflicts('untagged'))
    .option('--include-locked', 'unlock and delete what is locked, too');
}

function withRuleOptions(command: Command): Command {
  return command
    .option('--repositories <glob>', "repositories that the rule is about, such as 'app/*'")
    .option('--tags <glob>', 'tags that it is about; every tag without')
    .option('--keep-last <n>', 'the newest tags stay, so many in each repository', wholeNumber)
    .option('--keep-newer-than <duration>', 'tags updated within this time stay')
    .option('--keep-pulled-within <duration>', 'what was pulled within this time stays')
    .option('--untagged-older-than <duration>', 'manifests without a tag for this time go');
}
