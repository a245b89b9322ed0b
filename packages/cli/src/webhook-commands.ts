import { type Command, Option } from 'commander';
import { type EventOptions, listEvents, showEvent } from './commands/webhook-events.ts';
import {
  type WebhookOptions,
  createWebhook,
  deleteWebhook,
  listWebhooks,
  pingWebhook,
  replayEvents,
  showWebhook,
  updateWebhook,
} from './commands/webhooks.ts';
import { gather, wholeNumber } from './option-values.ts';
import type { AskScene } from './run-commands.ts';

/** `berth webhook …`. */
export function addWebhookCommands(program: Command, asked: AskScene): void {
  const webhook = program.command('webhook').description('who is told of pushes and deletions, and what became of it');
  webhook
    .command('list')
    .description('the webhooks of the registry')
    .action(async () => {
      const { connection, output } = asked();
      await listWebhooks(connection, output);
    });
  webhook
    .command('show <name>')
    .description('all that a webhook is, without its secrets, and how many of its events wait')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await showWebhook(connection, output, name);
    });
  withOptions(webhook.command('create <name>').description('make a webhook, or replace the one of that name'))
    .option('--region <name>', 'which region tells; the home region without')
    .action(async (name: string, options: WebhookOptions) => createWebhook(asked(), name, options));
  withOptions(webhook.command('update <name>').description('change a webhook; what is not said stays')).action(
    async (name: string, options: WebhookOptions) => updateWebhook(asked(), name, options),
  );
  webhook
    .command('delete <name>')
    .description('delete a webhook; what waits is not sent any more')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await deleteWebhook(connection, output, name);
    });
  webhook
    .command('ping <name>')
    .description('send an event that means nothing, and say what the receiver answered')
    .action(async (name: string) => {
      const { connection, output } = asked();
      await pingWebhook(connection, output, name);
    });
  addEvents(webhook, asked);
}

function addEvents(webhook: Command, asked: AskScene): void {
  webhook
    .command('events <name> [event]')
    .description('what a webhook was sent, the newest first; with an event: what was sent and answered')
    .addOption(new Option('--status <status>', 'waiting, delivered or failed').choices(['waiting', 'delivered', 'failed']))
    .option('--limit <n>', 'how many at the most (20)', wholeNumber)
    .option('-f, --follow', 'go on with what is made from now on, until you stop it')
    .action(async (name: string, event: string | undefined, options: EventOptions) => {
      const { connection, output } = asked();
      if (event === undefined) await listEvents(connection, output, name, options);
      else await showEvent(connection, output, { name, event });
    });
  webhook
    .command('replay <name> [event]')
    .description('send one event again, or all that were made in a span of time, with the ids that they had')
    .option('--since <time>', 'from this time on, such as 2030-01-31T12:00:00Z')
    .option('--until <time>', 'to before this time; now without')
    .action(async (name: string, event: string | undefined, span: { readonly since?: string; readonly until?: string }) => {
      const { connection, output } = asked();
      await replayEvents(connection, output, { name, ...(event !== undefined && { event }), ...span });
    });
}

function withOptions(command: Command): Command {
  return command
    .option('--uri <address>', 'whom to tell, by HTTP POST; - reads it from the standard input')
    .option('--action <action>', 'push, delete, quarantine, chart_push, chart_delete or untag; repeatable', gather)
    .option('--scope <scope>', 'repository:tag, repository:* or prefix*; everything without')
    .option('--header <name=value>', 'a header to send along; repeatable', gather)
    .option('--secret-header <name=variable>', 'the same, with the value of a variable of the environment; repeatable', gather)
    .addOption(new Option('--format <format>', 'the shape of what is sent (acr)').choices(['acr', 'eventGrid', 'cloudEvents']))
    .option('--sign', 'sign what is sent (Standard Webhooks), with a new secret that is shown this once')
    .option('--no-sign', 'do not sign any more')
    .option('--signing-secret <variable>', 'sign with the secret (whsec_…) in this variable of the environment')
    .addOption(new Option('--status <status>', 'whether it is told').choices(['enabled', 'disabled']));
}
