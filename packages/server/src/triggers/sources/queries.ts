import type { ReadQueries } from '../../platform/database/index.ts';
import type { SourcePlace, SourceState } from './source-state.ts';

export interface StoredSource extends SourcePlace {
  readonly state: SourceState;
  readonly nextPollAt: number | null;
  readonly failures: number;
  readonly problem: string | null;
}

const columns = ['registry_id', 'task', 'name', 'state', 'next_poll_at', 'failures', 'problem'] as const;

interface Row {
  readonly registry_id: number;
  readonly task: string;
  readonly name: string;
  readonly state: string;
  readonly next_poll_at: number | null;
  readonly failures: number;
  readonly problem: string | null;
}

export function sourceOfRow(row: Row): StoredSource {
  return {
    registryId: row.registry_id,
    task: row.task,
    name: row.name,
    state: JSON.parse(row.state) as SourceState,
    nextPollAt: row.next_poll_at,
    failures: row.failures,
    problem: row.problem,
  };
}

export async function findSource(db: ReadQueries, { registryId, task, name }: SourcePlace): Promise<StoredSource | undefined> {
  const row = await db
    .selectFrom('task_sources')
    .select(columns)
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('name', '=', name)
    .executeTakeFirst();
  return row && sourceOfRow(row);
}

export async function sourcesOf(
  db: ReadQueries,
  of?: { readonly registryId: number; readonly task: string },
): Promise<readonly StoredSource[]> {
  const all = db.selectFrom('task_sources').select(columns).orderBy('registry_id').orderBy('task').orderBy('name');
  const rows = await (of === undefined
    ? all
    : all.where('registry_id', '=', of.registryId).where('task', '=', of.task)
  ).execute();
  return rows.map(sourceOfRow);
}

/** Whether something is due, so that most rounds write nothing. */
export async function isPollDue(db: ReadQueries, now: number): Promise<boolean> {
  const due = await db.selectFrom('task_sources').select('name').where('next_poll_at', '<=', now).limit(1).executeTakeFirst();
  return due !== undefined;
}

/** Whether one of these deliveries was taken before. */
export async function wasDelivered(
  db: ReadQueries,
  { registryId, task, name }: SourcePlace,
  deliveries: readonly string[],
): Promise<boolean> {
  const row = await db
    .selectFrom('hook_deliveries')
    .select('delivery')
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('trigger_name', '=', name)
    .where('delivery', 'in', deliveries)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Sources of which some commit status is not told yet. */
export async function sourcesWithStatuses(
  db: ReadQueries,
  of?: { readonly registryId: number; readonly task: string },
): Promise<readonly StoredSource[]> {
  const all = db
    .selectFrom('task_sources')
    .select(columns)
    .where('state', 'like', '%"statuses":[{%')
    .orderBy('registry_id')
    .orderBy('task')
    .orderBy('name');
  const rows = await (of === undefined
    ? all
    : all.where('registry_id', '=', of.registryId).where('task', '=', of.task)
  ).execute();
  return rows.map(sourceOfRow);
}
