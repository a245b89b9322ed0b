import { runs } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { requireVisible } from '../may-run.ts';
import { isEnded } from '../model.ts';
import { factsOf } from '../run-facts.ts';
import type { RunsContext } from '../runs-context.ts';
import { liveLog } from './live-log.ts';
import { type LogFilter, readPage } from './log-page.ts';

const pageSize = 500;
const maxPageSize = 1000;
const maxSearchLength = 256;

export function logRoutes(context: RunsContext): readonly Route[] {
  return [{ operation: runs.readLog, handle: (request) => read(context, request) }];
}

async function read(context: RunsContext, request: RouteRequest): Promise<Reply> {
  const row = await requireVisible(context, request);
  const run = factsOf(row);
  const filter = filterOf(request.query);
  if (wantsEvents(request.headers['accept'])) {
    const last = request.headers['last-event-id'];
    const from = last !== undefined && /^\d{1,10}$/.test(last) ? Number(last) + 1 : filter.from;
    return {
      status: 200,
      // Proxies that gather an answer would hold the lines back.
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      body: { live: () => liveLog(context, run, { filter: { ...filter, from }, signal: request.signal }) },
    };
  }
  const page = await readPage(context, run, filter);
  const isLast = isEnded(run.status) && page.next >= run.logRecords;
  return {
    status: 200,
    headers: { 'Cache-Control': 'no-store' },
    body: { json: { records: page.records, next: isLast ? null : page.next } },
  };
}

function wantsEvents(accept: string | undefined): boolean {
  return accept !== undefined && /(?:^|,)\s*text\/event-stream\b/i.test(accept);
}

function filterOf(query: URLSearchParams): LogFilter {
  const step = query.get('step') ?? undefined;
  const search = query.get('search') ?? undefined;
  if (search !== undefined && search.length > maxSearchLength)
    throw new RegistryError('INVALID_PARAMETER', {
      message: `"search" has at most ${maxSearchLength} characters`,
      target: 'search',
    });
  return {
    from: numberOf(query, 'from', { usual: 0, min: 0, max: 1e9 }),
    limit: numberOf(query, 'limit', { usual: pageSize, min: 1, max: maxPageSize }),
    step,
    search: search === '' ? undefined : search,
  };
}

interface NumberRule {
  readonly usual: number;
  readonly min: number;
  readonly max: number;
}

function numberOf(query: URLSearchParams, name: string, { usual, min, max }: NumberRule): number {
  const text = query.get(name);
  if (text === null || text === '') return usual;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (value < min || value > max)
    throw new RegistryError('INVALID_PARAMETER', { message: `"${name}" is a number from ${min} to ${max}`, target: name });
  return value;
}
