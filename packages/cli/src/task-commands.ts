import type { Command } from 'commander';
import { deleteTaskSecret, listTaskSecrets, setTaskSecret } from './commands/secrets.ts';
import { showDecisions, showHook } from './commands/task-triggers.ts';
import type * as taskModule from './commands/tasks.ts';
import { gather, wholeNumber, yesOrNo } from './option-values.ts';
import { type AskScene, refusing, withWatchOptions } from './run-commands.ts';
import { exitCodeHelp } from './exit-codes.ts';

/** They load YAML and the language of task files, which other commands need not wait for. */
function taskActions(): Promise<typeof taskModule> {
  return import('./commands/tasks.ts');
}

/** `berth task …` and `berth secrets …`. */
export function addTaskCommands(program: Command, asked: AskScene): void {
  const task = program
    .command('task')
    .description('what is built or run again and again: on commits, on schedules, when a base image changes');
  task
    .command('list')
    .description('the tasks of the registry')
    .action(async () => {
      const { connection, output } = asked();
      await (await taskActions()).listTasks(connection, output);
    });
  task
    .command('show <name>')
    .description('all that a task is, without its secrets')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await (await taskActions()).showTask(connection, output, name);
    });
  withTaskOptions(task.command('create <name>').description('make a task, or replace the one of that name')).action(
    async (name: string, options: taskModule.TaskChange['options']) =>
      (await taskActions()).createTask(asked(), { name, options }),
  );
  withTaskOptions(task.command('update <name>').description('change a task; what is not said stays')).action(
    async (name: string, options: taskModule.TaskChange['options']) =>
      (await taskActions()).updateTask(asked(), { name, options }),
  );
  task
    .command('delete <name>')
    .description('delete a task; its runs stay')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await (await taskActions()).deleteTask(connection, output, name);
    });
  addTaskRun(task, asked);
  addTriggers(task, asked);
  addSecrets(program, asked);
}

function withTaskOptions(command: Command): Command {
  return command
    .option('--context <context>', 'https://host/repository.git#branch:folder, an archive, oci://…, or /dev/null')
    .option('-f, --file <path>', 'in the context: a task file (.yaml), or a Dockerfile (Dockerfile)')
    .option('--image <repository:tag>', 'what an image is called; {{.Run.ID}} may stand in it; repeatable', gather)
    .option('-t, --tag <repository:tag>', 'the same as --image', gather)
    .option('--cmd <command>', 'an image and its arguments, instead of a file')
    .option('--values <path>', 'in the context: YAML with values for templates')
    .option('--target <stage>', 'the stage to build')
    .option('--no-push', 'only build')
    .option('--no-cache', 'use nothing of builds before')
    .option('--sbom', 'attach to the image a list of what it is made of')
    .option('--provenance', 'attach to the image a record of how it was made')
    .option('--arg <name[=value]>', 'a build argument; repeatable', gather)
    .option('--secret-arg <name[=value]>', 'a build secret; without a value it is that of the environment; repeatable', gather)
    .option('--set <name=value>', 'a value for templates; repeatable', gather)
    .option('--set-secret <name[=value]>', 'the same, kept secret; repeatable', gather)
    .option('--schedule <name:cron>', "when it runs, such as 'nightly:0 2 * * *'; repeatable", gather)
    .option('--time-zone <zone>', 'of the schedules, such as Europe/Berlin (UTC)')
    .option('--git-access-token-file <file>', 'a file with the token for the repository; otherwise BERTH_GIT_TOKEN')
    .option('--commit-trigger-enabled <true|false>', 'run at each commit (true, when there is a token)', yesOrNo)
    .option('--pull-request-trigger-enabled <true|false>', 'run at each commit to a pull request (false)', yesOrNo)
    .option('--branch <pattern>', 'only of branches such as main or release/*')
    .option('--path <pattern>', 'only when such a file changed; repeatable', gather)
    .option('--git-tag <pattern>', 'at tags such as v*; repeatable', gather)
    .option('--poll <seconds>', 'ask the git server now and again, when it cannot reach this one', wholeNumber)
    .option('--forge <forge>', 'Github, VisualStudioTeamService, Gitlab, Gitea, Bitbucket or Git, when the address does not tell')
    .option('--base-image-trigger-type <type>', 'Runtime or All: which base images are watched (Runtime)')
    .option('--base-image-trigger-enabled <true|false>', 'run when a base image changed (true)', yesOrNo)
    .option('--platform <platform>', 'such as linux/arm64; several, with commas, make one index', gather)
    .option('--timeout <seconds>', 'how long a run may take, 300 to 28800 (3600)', wholeNumber)
    .option('--status <status>', 'Enabled or Disabled')
    .option('--agent-pool <name>', 'whose agents execute it')
    .option('--from <file>', 'JSON or YAML with all properties, as berth task show prints it; - is the standard input')
    .hook('preAction', (_, action) => {
      const { tag = [], image = [] } = action.opts<{ tag?: readonly string[]; image?: readonly string[] }>();
      if (tag.length > 0) action.setOptionValue('image', [...image, ...tag]);
      // "No" is said, and "yes" is not: a change must leave alone what nobody spoke of.
      for (const name of ['push', 'cache'])
        if (action.getOptionValueSource(name) === 'default') action.setOptionValue(name, undefined);
    });
}

function addTaskRun(task: Command, asked: AskScene): void {
  const command = task
    .command('run <name>')
    .description('run a task now, and show its log')
    .option('--set <name=value>', 'a value for templates, instead of that of the task; repeatable', gather)
    .option('--set-secret <name[=value]>', 'the same, kept secret; repeatable', gather)
    .option('--arg <name[=value]>', 'a build argument, instead of that of the task; repeatable', gather)
    .option('--secret-arg <name[=value]>', 'a build secret, instead of that of the task; repeatable', gather)
    .option('--target <stage>', 'instead of that of the task')
    .option('--context <context>', 'instead of that of the task')
    .option('-f, --file <path>', 'instead of that of the task');
  withWatchOptions(command)
    .addHelpText('after', exitCodeHelp)
    .action((name: string, options: taskModule.TaskRunOptions) =>
      refusing(async () => (await taskActions()).runTask(asked(), name, options)),
    );
}

function addTriggers(task: Command, asked: AskScene): void {
  task
    .command('decisions <name>')
    .description('why a task ran, or did not, and what its triggers look at')
    .option('--limit <n>', 'how many at the most', wholeNumber)
    .action(async (name: string, { limit }: { readonly limit?: number }) => {
      const { connection, output } = asked();
      await showDecisions(connection, output, { name, limit });
    });
  task
    .command('hook <name> [trigger]')
    .description('the address and the secret of a webhook to enter at a forge')
    .action(async (name: string, trigger = 'defaultSourceTriggerName') => {
      const { connection, output } = asked();
      await showHook(connection, output, { name, trigger });
    });
}

function addSecrets(program: Command, asked: AskScene): void {
  const secrets = program.command('secrets').description('secrets for task files, which name them https://berth/secrets/NAME');
  secrets
    .command('list')
    .description('their names')
    .action(async () => {
      const { connection, output } = asked();
      await listTaskSecrets(connection, output);
    });
  secrets
    .command('set <name>')
    .description('keep a secret, or replace it; its value is read from the standard input')
    .option('-f, --file <file>', 'from this file instead')
    .action(async (name: string, { file }: { readonly file?: string }) => {
      const { connection, output } = asked();
      await setTaskSecret(connection, output, { name, file });
    });
  secrets
    .command('delete <name>')
    .description('delete a secret')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await deleteTaskSecret(connection, output, name);
    });
}
