import { setTimeout as pause } from 'node:timers/promises';
import { webhooks } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { type Output, show } from '../output.ts';
import type { WebhookEvent } from './webhooks.ts';

export interface EventOptions {
  readonly status?: string;
  readonly limit?: number;
  readonly follow?: boolean;
}

interface EventPage {
  readonly events: readonly WebhookEvent[];
  readonly next: string | null;
  readonly newest?: string;
}

const usualLimit = 20;
const followMs = 1_000;
/** Those that were shown and had not been delivered are looked at again, so many at the most. */
const maxWatched = 100;

/** `berth webhook events`: the newest first; with `follow`, what is made from now on and what becomes of it, without an end. */
export async function listEvents(connection: Connection, output: Output, name: string, options: EventOptions): Promise<void> {
  const { status, limit = usualLimit, follow = false } = options;
  const params = { webhook: name };
  const query = { limit: String(limit), ...(status !== undefined && { status }) };
  const page = (await callOperation(connection, webhooks.listEvents, { params, query })) as EventPage;
  if (!follow) {
    const text = page.events.length === 0 ? 'There is no such event.' : page.events.map(lineOf).join('\n');
    show(output, page.events, text);
    return;
  }
  for (const event of page.events.toReversed()) write(output, event);
  await followEvents(connection, output, { name, status, after: page.newest ?? '0' });
}

async function followEvents(
  connection: Connection,
  output: Output,
  { name, status, after }: { readonly name: string; readonly status: string | undefined; readonly after: string },
): Promise<void> {
  const watched = new Map<string, string>();
  for (let place = after; ; ) {
    await pause(followMs);
    const query = { after: place, ...(status !== undefined && { status }) };
    const { events, next } = (await callOperation(connection, webhooks.listEvents, {
      params: { webhook: name },
      query,
    })) as EventPage;
    for (const event of events) {
      write(output, event);
      if (event.status === 'waiting' && watched.size < maxWatched) watched.set(event.id, stateOf(event));
    }
    place = next ?? place;
    for (const [id, state] of watched) {
      const event = await summaryOf(connection, { webhook: name, event: id });
      if (stateOf(event) === state) continue;
      write(output, event);
      if (event.status === 'waiting') watched.set(id, stateOf(event));
      else watched.delete(id);
    }
  }
}

/** As lists show it: lines that are read by a program are all alike. */
async function summaryOf(
  connection: Connection,
  params: { readonly webhook: string; readonly event: string },
): Promise<WebhookEvent> {
  const whole = (await callOperation(connection, webhooks.getEvent, { params })) as WebhookEvent & Record<string, unknown>;
  const { payload: _payload, request: _request, response: _response, ...summary } = whole;
  return summary;
}

function stateOf({ status, attempts }: WebhookEvent): string {
  return `${status} ${attempts}`;
}

function write(output: Output, event: WebhookEvent): void {
  show(output, event, lineOf(event));
}

/** `berth webhook events NAME EVENT`: all that is known of one, what was sent and what came back. */
export async function showEvent(
  connection: Connection,
  output: Output,
  { name, event: id }: { readonly name: string; readonly event: string },
): Promise<void> {
  const event = (await callOperation(connection, webhooks.getEvent, { params: { webhook: name, event: id } })) as WebhookEvent;
  const text = JSON.stringify(event, undefined, 2).split('\n').map(plainLine).join('\n');
  show(output, event, text);
}

function lineOf({ id, action, repository, tag, createdAt, status, attempts, nextAt, statusCode, problem }: WebhookEvent): string {
  const what = repository === '' ? '' : ` ${repository}${tag === null ? '' : `:${tag}`}`;
  const times = attempts > 1 ? ` after ${attempts} attempts` : '';
  const answered = problem ?? (statusCode === null ? '' : `answered ${statusCode}`);
  const again = status === 'waiting' && attempts > 0 && nextAt !== null ? `, again at ${nextAt}` : '';
  return plainLine(`${createdAt}  ${id}  ${action}${what}  ${status}${times}${answered === '' ? '' : `: ${answered}`}${again}`);
}
