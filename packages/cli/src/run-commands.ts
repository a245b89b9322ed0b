import { type Command, InvalidArgumentError } from 'commander';
import { CommandError } from './command-error.ts';
import type { BuildOptions, Scene } from './commands/build.ts';
import type { LogOptions } from './commands/logs.ts';
import type { RunOptions } from './commands/run.ts';
import type { RunFilters } from './commands/runs.ts';
import { gather, wholeNumber } from './option-values.ts';
import { exitCodeHelp } from './exit-codes.ts';

export type AskScene = () => Scene;

/** `berth build`, `berth run`, `berth logs` and `berth runs …`. */
export function addRunCommands(program: Command, asked: AskScene): void {
  addBuild(program, asked);
  addRun(program, asked);
  program
    .command('logs <run>')
    .description('show the log of a run')
    .option('-f, --follow', 'until the run has ended')
    .option('--step <step>', 'lines of this step only')
    .option('--search <text>', 'lines with this text only, whatever its case')
    .option('--raw', 'lines as they were written, without the name of their step')
    .action(async (id: string, options: LogOptions) => {
      const { connection, output } = asked();
      const { showLog } = await import('./commands/logs.ts');
      await showLog(connection, output, { id, options });
    });
  addRuns(program, asked);
}

function addBuild(program: Command, asked: AskScene): void {
  const command = program
    .command('build [context]')
    .description('build an image from a folder, on an agent of the server, and push it')
    .option('--image <repository:tag>', 'what the image is called; {{.Run.ID}} may stand in it; repeatable', gather)
    .option('-t, --tag <repository:tag>', 'the same as --image', gather)
    .option('-f, --file <path>', 'the Dockerfile; - is the standard input')
    .option('--target <stage>', 'the stage to build')
    .option('--build-arg <name[=value]>', 'a build argument; without a value it is that of the environment; repeatable', gather)
    .option(
      '--secret-build-arg <name[=value]>',
      'a build secret of this name, mounted by RUN --mount=type=secret,id=NAME',
      gather,
    )
    .option('--secret <secret>', 'a build secret: id=NAME[,env=VARIABLE] or id=NAME,src=FILE; repeatable', gather)
    .option('--platform <platform>', 'such as linux/arm64; several, with commas, make one index', gather)
    .option('--no-push', 'only build')
    .option('--no-cache', 'use nothing of builds before')
    .option('--sbom', 'attach a list of what is in the image')
    .option('--provenance', 'attach where the image comes from');
  withQueueOptions(command)
    .addHelpText('after', contextHelp)
    .addHelpText('after', exitCodeHelp)
    .action((context: string | undefined, options: BuildOptions) =>
      refusing(async () => {
        const { build } = await import('./commands/build.ts');
        await build(asked(), context ?? '.', options);
      }),
    );
}

function addRun(program: Command, asked: AskScene): void {
  const command = program
    .command('run [context]')
    .description('execute a task file, or one command, on an agent of the server; - is a task file on the standard input')
    .option('-f, --file <path>', 'the task file (acb.yaml); - is the standard input')
    .option('--cmd <command>', "an image and its arguments, such as '$Registry/app:v1 test'")
    .option('--values <file>', 'YAML with values for templates')
    .option('--set <name=value>', 'a value for templates; repeatable', gather)
    .option(
      '--set-secret <name[=value]>',
      'the same, kept secret; without a value it is that of the environment; repeatable',
      gather,
    )
    .option('--platform <platform>', 'such as linux/arm64');
  withQueueOptions(command)
    .addHelpText('after', contextHelp)
    .addHelpText('after', exitCodeHelp)
    .action((context: string | undefined, options: RunOptions) =>
      refusing(async () => {
        // The language of task files is a third of what the command line loads, and only this command reads them.
        const { run } = await import('./commands/run.ts');
        await run(asked(), context, options);
      }),
    );
}

const contextHelp = `
The context is a folder (.), https://host/repository.git#ref:folder, the address of an archive, oci://registry/repository:tag,
or /dev/null for none. Of a folder everything is sent that .dockerignore does not leave out, but not .git.`;

function withQueueOptions(command: Command): Command {
  return withWatchOptions(
    command
      .option('--timeout <seconds>', 'how long it may take, 300 to 28800 (3600)', wholeNumber)
      .option('--agent-pool <name>', 'whose agents execute it'),
  );
}

/** Options of whatever waits for a run. */
export function withWatchOptions(command: Command): Command {
  return command
    .option('--no-logs', 'do not show the log')
    .option('--no-wait', 'print the id of the run, and leave')
    .option('--no-format', 'lines as they were written: no names of steps, no colours, no status')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** Whatever goes wrong before there is a run has an exit code of its own. */
export async function refusing(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { message, nextStep, details, exitCode } = error;
    throw new CommandError(message, nextStep, { cause: error, details, exitCode: exitCode === 1 ? 2 : exitCode });
  }
}

function addRuns(program: Command, asked: AskScene): void {
  const runs = program
    .command('runs')
    .description('the runs of the registry, the newest first')
    .option('--task <name>', 'of this task')
    .option('--status <status>', 'Queued, Running, Succeeded, Failed, Canceled, Error or Timeout')
    .option('--image <image>', 'that pushed this repository, repository:tag or digest')
    .option('--agent-pool <name>', 'of this pool')
    .option('--limit <n>', 'how many at the most (15)', positiveNumber)
    .action(async (filters: RunFilters) => {
      const { connection, output } = asked();
      const { listRuns } = await import('./commands/runs.ts');
      await listRuns(connection, output, filters);
    });
  runs
    .command('show <run>')
    .description('its steps, its images and what they are built on')
    .action(async (id: string) => {
      const { connection, output } = asked();
      const { showRun } = await import('./commands/runs.ts');
      await showRun(connection, output, id);
    });
  runs
    .command('cancel <run...>')
    .description('end runs: at once while they wait, otherwise their agents stop them')
    .action(async (ids: readonly string[]) => {
      const { connection, output } = asked();
      const { cancelRuns } = await import('./commands/runs.ts');
      await cancelRuns(connection, output, ids);
    });
  runs
    .command('archive <run>')
    .description('keep a run and its log beyond their time')
    .option('--off', 'no longer')
    .action(async (id: string, { off = false }: { readonly off?: boolean }) => {
      const { connection, output } = asked();
      const { archiveRun } = await import('./commands/runs.ts');
      await archiveRun(connection, output, { id, isArchived: !off });
    });
}

function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
}
