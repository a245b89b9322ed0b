import { setTimeout as pause } from 'node:timers/promises';
import { webhooks } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, show } from '../output.ts';
import { readInput } from '../read-input.ts';
import type { Scene } from './build.ts';

interface Webhook {
  readonly name: string;
  readonly location: string;
  readonly isHere: boolean;
  readonly status: string;
  readonly scope: string;
  readonly actions: readonly string[];
  readonly payloadFormat: string;
  readonly address: string;
  readonly headers: readonly string[];
  readonly isSigned: boolean;
  readonly waiting?: number;
  /** Only when it was made just now. */
  readonly signingSecret?: string;
}

export interface WebhookOptions {
  readonly uri?: string;
  readonly action?: readonly string[];
  readonly scope?: string;
  readonly header?: readonly string[];
  readonly secretHeader?: readonly string[];
  readonly format?: string;
  readonly region?: string;
  readonly sign?: boolean;
  readonly signingSecret?: string;
  readonly status?: string;
}

/** `berth webhook list`. */
export async function listWebhooks(connection: Connection, output: Output): Promise<void> {
  const { webhooks: found } = (await callOperation(connection, webhooks.listWebhooks)) as {
    readonly webhooks: readonly Webhook[];
  };
  const rows = found.map(({ name, location, status, scope, actions, address }) => [
    name,
    status,
    location,
    actions.join(','),
    scope === '' ? '(everything)' : scope,
    address,
  ]);
  const lines = tableLines(['webhook', 'status', 'region', 'actions', 'scope', 'tells'], rows);
  show(
    output,
    found,
    found.length === 0
      ? 'There are no webhooks. Make one: berth webhook create deploy --uri https://host/path --action push'
      : lines.map(plainLine).join('\n'),
  );
}

/** `berth webhook show`. */
export async function showWebhook(connection: Connection, output: Output, name: string): Promise<void> {
  const webhook = (await callOperation(connection, webhooks.getWebhook, { params: { webhook: name } })) as Webhook;
  const { location, isHere, status, scope, actions, payloadFormat, address, headers, isSigned, waiting = 0 } = webhook;
  const lines = [
    `${webhook.name} is ${status} and tells ${address} of ${actions.join(', ')}`,
    `about ${scope === '' ? 'everything' : scope}, as ${payloadFormat}, ${isSigned ? 'signed' : 'not signed'}`,
    ...(headers.length === 0 ? [] : [`with the headers ${headers.join(', ')}`]),
    isHere ? `${waiting} events wait` : `its events are made and kept in the region ${location}`,
  ];
  show(output, webhook, lines.map(plainLine).join('\n'));
}

/** `berth webhook create`: makes a webhook, or replaces the one of that name. */
export async function createWebhook(
  { connection, output, environment }: Scene,
  name: string,
  options: WebhookOptions,
): Promise<void> {
  if (options.uri === undefined)
    throw new CommandError('it is not said whom to tell', `berth webhook create ${name} --uri https://host/path --action push`);
  const body = {
    properties: { actions: ['push'], ...(await propertiesOf(options, environment)) },
    ...(options.region !== undefined && { location: options.region }),
  };
  const webhook = (await callOperation(connection, webhooks.putWebhook, { params: { webhook: name }, body })) as Webhook;
  show(
    output,
    webhook,
    [`The webhook ${webhook.name} is kept. Try it: berth webhook ping ${webhook.name}`, ...secretLines(webhook)].join('\n'),
  );
}

/** `berth webhook update`: what is not said stays. */
export async function updateWebhook(
  { connection, output, environment }: Scene,
  name: string,
  options: WebhookOptions,
): Promise<void> {
  const properties = await propertiesOf(options, environment);
  if (Object.keys(properties).length === 0)
    throw new CommandError('it is not said what to change', 'berth webhook update --help lists what can be');
  const webhook = (await callOperation(connection, webhooks.updateWebhook, {
    params: { webhook: name },
    body: { properties },
  })) as Webhook;
  show(output, webhook, [`The webhook ${webhook.name} is changed.`, ...secretLines(webhook)].join('\n'));
}

function secretLines({ signingSecret }: Webhook): readonly string[] {
  if (signingSecret === undefined) return [];
  return ['Receivers check what they get with this secret, which is not shown again:', signingSecret];
}

async function propertiesOf(
  options: WebhookOptions,
  environment: Scene['environment'],
): Promise<Readonly<Record<string, unknown>>> {
  const { uri, action, scope, header, secretHeader, format, sign, signingSecret, status } = options;
  const headers = [
    ...(header ?? []).map((text) => headerOf('--header', text)),
    ...(secretHeader ?? []).map((text) => {
      const [name, variable] = headerOf('--secret-header', text);
      return [name, valueOf(variable, environment)] as const;
    }),
  ];
  return {
    ...(uri !== undefined && { serviceUri: uri === '-' ? (await readInput('the address')).toString('utf8').trim() : uri }),
    ...(action !== undefined && { actions: action.flatMap((each) => each.split(',')) }),
    ...(scope !== undefined && { scope }),
    ...(headers.length > 0 && { customHeaders: Object.fromEntries(headers) }),
    ...(format !== undefined && { payloadFormat: format }),
    ...(status !== undefined && { status }),
    ...(sign === true && { signingSecret: 'generate' }),
    ...(sign === false && { signingSecret: null }),
    ...(signingSecret !== undefined && { signingSecret: valueOf(signingSecret, environment) }),
  };
}

function headerOf(option: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandError(`${option} ${text} is not understood`, `write ${option} NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function valueOf(variable: string, environment: Scene['environment']): string {
  const value = environment[variable];
  if (value === undefined)
    throw new CommandError(
      `the variable ${variable} is not set`,
      `set ${variable} in the environment: secrets do not belong on command lines`,
    );
  return value;
}

/** `berth webhook delete`. */
export async function deleteWebhook(connection: Connection, output: Output, name: string): Promise<void> {
  await callOperation(connection, webhooks.deleteWebhook, { params: { webhook: name } });
  show(output, { name }, `The webhook ${name} is deleted; what waited is not sent any more.`);
}

export interface WebhookEvent {
  readonly id: string;
  readonly action: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly createdAt: string;
  readonly status: string;
  readonly attempts: number;
  readonly nextAt: string | null;
  readonly statusCode: string | null;
  readonly problem: string | null;
}

const pingPauseMs = 100;
/** A receiver has five seconds. */
const pingWaitMs = 10_000;

/** `berth webhook ping`: tells what the receiver answered. */
export async function pingWebhook(connection: Connection, output: Output, name: string): Promise<void> {
  let event = (await callOperation(connection, webhooks.pingWebhook, { params: { webhook: name } })) as WebhookEvent;
  const params = { webhook: name, event: event.id };
  for (let waitedMs = 0; event.status === 'waiting' && waitedMs < pingWaitMs; waitedMs += pingPauseMs) {
    await pause(pingPauseMs);
    event = (await callOperation(connection, webhooks.getEvent, { params })) as WebhookEvent;
  }
  const { id, status, statusCode, problem } = event;
  if (status === 'failed')
    throw new CommandError(
      `the receiver did not take the ping: ${problem ?? `it answered ${statusCode}`}`,
      `berth webhook events ${name} ${id} shows the answer`,
    );
  show(output, event, plainLine(status === 'delivered' ? `The receiver answered ${statusCode}.` : `The ping ${id} waits.`));
}

/** `berth webhook replay`: one event, or those of a span of time. */
export async function replayEvents(
  connection: Connection,
  output: Output,
  {
    name,
    event,
    since,
    until,
  }: { readonly name: string; readonly event?: string; readonly since?: string; readonly until?: string },
): Promise<void> {
  const body = {
    ...(event !== undefined && { event }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
  const answer = (await callOperation(connection, webhooks.replayEvents, { params: { webhook: name }, body })) as {
    replayed: number;
  };
  const { replayed } = answer;
  show(output, answer, replayed === 1 ? 'One event is sent again.' : `${replayed} events are sent again.`);
}
