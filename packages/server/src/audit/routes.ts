import { audit } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { nextLink, parsePage } from '../http/paging.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { Database } from '../platform/database/index.ts';
import { documentOf } from './model.ts';
import { pageOfEvents } from './queries.ts';

const pageSize = 100;
const maxFilterLength = 256;

export function auditRoutes({
  database,
  flush,
}: {
  readonly database: Database;
  readonly flush: () => Promise<void>;
}): readonly Route[] {
  return [{ operation: audit.listEvents, handle: (request) => listEvents(database, flush, request) }];
}

async function listEvents(database: Database, flush: () => Promise<void>, request: RouteRequest): Promise<Reply> {
  const { query, registry } = request;
  const page = parsePage(query, pageSize);
  const filters = {
    from: timeIn(query, 'from'),
    to: timeIn(query, 'to'),
    operation: textIn(query, 'operation'),
    repository: textIn(query, 'repository'),
    identity: textIn(query, 'identity'),
  };
  const before = cursorOf(page.last);
  // Whoever asks what just happened wants to see it.
  await flush();
  const question = { registryId: registry.id, ...filters, before, limit: page.limit };
  const { events, next } = await pageOfEvents(database.read, question, request.signal);
  const extra = Object.fromEntries(
    ['from', 'to', 'operation', 'repository', 'identity'].flatMap((name) => {
      const value = query.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const last = next === undefined ? null : String(next);
  const headers = last === null ? {} : nextLink('/berth/v1/audit', page, last, extra);
  return { status: 200, headers, body: { json: { events: events.map(documentOf), last } } };
}

/** @throws REQUEST_INVALID */
function timeIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new RegistryError('REQUEST_INVALID', { message: `"${name}" must be a time such as 2030-01-31T12:00:00Z` });
  return time;
}

/** Compared as it is: nothing in it has a meaning (attack 44). @throws REQUEST_INVALID */
function textIn(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (text.length > maxFilterLength || text.includes('\0'))
    throw new RegistryError('REQUEST_INVALID', {
      message: `"${name}" is longer than ${maxFilterLength} characters or holds a NUL byte`,
    });
  return text;
}

/** @throws PAGINATION_NUMBER_INVALID */
function cursorOf(last: string | undefined): number | undefined {
  if (last === undefined) return undefined;
  if (/^\d{1,15}$/.test(last)) return Number(last);
  throw new RegistryError('PAGINATION_NUMBER_INVALID', { message: '"last" is the number that a Link header gave' });
}
