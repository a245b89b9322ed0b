import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditEventRow, ReadQueries } from '../platform/database/index.ts';

export interface AuditQuestion {
  readonly registryId: number;
  /** Milliseconds, inclusive. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly operation: string | undefined;
  readonly repository: string | undefined;
  readonly identity: string | undefined;
  /** The number of the last event of the page before. */
  readonly before: number | undefined;
  readonly limit: number;
}

/** Ids that one statement looks at: SQLite reads on the main thread, and a filter may fit nothing in months of pulls. */
const idsPerStatement = 5000;
/** After so many a page ends, however little fitted. */
const statementsPerPage = 100;
/** Events come into the table in nearly the order of their times: each process keeps its own for a second or a few. */
const disorderMs = 60_000;

export interface AuditPage {
  /** The newest first. */
  readonly events: readonly KeptEvent[];
  /** What follows is older than the event of this number; undefined: nothing follows. */
  readonly next: number | undefined;
}

export type KeptEvent = Omit<AuditEventRow, 'id'> & { readonly id: number };

/** A page may hold fewer than asked for although more follow. */
export async function pageOfEvents(db: ReadQueries, question: AuditQuestion, signal: AbortSignal): Promise<AuditPage> {
  const { limit } = question;
  const range = await idsWithin(db, question);
  const found: KeptEvent[] = [];
  if (range === undefined || limit === 0) return { events: found, next: undefined };
  let before = Math.min(question.before ?? Number.POSITIVE_INFINITY, range.newest + 1);
  for (let statements = 0; statements < statementsPerPage; statements += 1) {
    const first = before - idsPerStatement;
    found.push(...(await eventsBetween(db, question, { first, before, limit: limit + 1 - found.length })));
    if (found.length > limit) return { events: found.slice(0, limit), next: found[limit - 1]?.id };
    if (first <= range.oldest) return { events: found, next: undefined };
    before = first;
    signal.throwIfAborted();
    await nextTurn();
  }
  return { events: found, next: before };
}

/** Between which numbers all events of the question are; undefined: there is none. Along the index of times. */
async function idsWithin(
  db: ReadQueries,
  { from, to }: AuditQuestion,
): Promise<{ readonly oldest: number; readonly newest: number } | undefined> {
  const ids = db.selectFrom('audit_events').select('id').limit(1);
  const oldest = await (from === undefined
    ? ids.orderBy('id')
    : ids
        .where('time', '>=', from - disorderMs)
        .orderBy('time')
        .orderBy('id')
  ).executeTakeFirst();
  const newest = await (to === undefined
    ? ids.orderBy('id', 'desc')
    : ids
        .where('time', '<=', to + disorderMs)
        .orderBy('time', 'desc')
        .orderBy('id', 'desc')
  ).executeTakeFirst();
  return oldest === undefined || newest === undefined ? undefined : { oldest: oldest.id, newest: newest.id };
}

function eventsBetween(
  db: ReadQueries,
  { registryId, from, to, operation, repository, identity }: AuditQuestion,
  { first, before, limit }: { readonly first: number; readonly before: number; readonly limit: number },
): Promise<KeptEvent[]> {
  let query = db
    .selectFrom('audit_events')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('id', '>=', first)
    .where('id', '<', before);
  if (from !== undefined) query = query.where('time', '>=', from);
  if (to !== undefined) query = query.where('time', '<=', to);
  if (operation !== undefined) query = query.where('operation', '=', operation);
  if (repository !== undefined) query = query.where('repository', '=', repository);
  if (identity !== undefined) query = query.where('identity', '=', identity);
  return query.orderBy('id', 'desc').limit(limit).execute();
}
