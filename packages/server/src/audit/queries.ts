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

/** The newest first. */
export function eventsBefore(
  db: ReadQueries,
  question: AuditQuestion,
): Promise<(Omit<AuditEventRow, 'id'> & { readonly id: number })[]> {
  let query = db.selectFrom('audit_events').selectAll().where('registry_id', '=', question.registryId);
  if (question.before !== undefined) query = query.where('id', '<', question.before);
  if (question.from !== undefined) query = query.where('time', '>=', question.from);
  if (question.to !== undefined) query = query.where('time', '<=', question.to);
  if (question.operation !== undefined) query = query.where('operation', '=', question.operation);
  if (question.repository !== undefined) query = query.where('repository', '=', question.repository);
  if (question.identity !== undefined) query = query.where('identity', '=', question.identity);
  return query.orderBy('id', 'desc').limit(question.limit).execute();
}
