import { type SelectQueryBuilder, type Selectable, sql } from 'kysely';
import { type ReadQueries, type RunRow, type Tables, type WriteQueries, prepareRead } from '../platform/database/index.ts';
import type { RunFilter } from './model.ts';
import { type PlainRunRow, runColumns } from './run-facts.ts';
import { isRunId } from './run-ids.ts';

/** In the text of the query, not beside it: SQLite uses a partial index only then. */
export const queued = sql<'Queued'>`'Queued'`;

const runById = prepareRead<{ readonly registryId: number; readonly runId: string }, PlainRunRow>((db, { registryId, runId }) =>
  db.selectFrom('runs').select(runColumns).where('registry_id', '=', registryId).where('run_id', '=', runId),
);

const runByRow = prepareRead<{ readonly rowId: number }, PlainRunRow>((db, { rowId }) =>
  db.selectFrom('runs').select(runColumns).where('id', '=', rowId),
);

export async function findRun(
  db: ReadQueries | WriteQueries,
  registryId: number,
  runId: string,
): Promise<PlainRunRow | undefined> {
  if (!isRunId(runId)) return undefined;
  return runById.first(db, { registryId, runId });
}

export function findRunByRow(db: ReadQueries | WriteQueries, rowId: number): Promise<PlainRunRow | undefined> {
  return runByRow.first(db, { rowId });
}

/** The run that an agent proves to hold. */
export const leasedRun = prepareRead<{ readonly lease: string; readonly keyId: string; readonly runId: string }, PlainRunRow>(
  (db, { lease, keyId, runId }) =>
    db
      .selectFrom('runs')
      .select(runColumns)
      .where('lease', '=', lease)
      .where('agent_key_id', '=', keyId)
      .where('run_id', '=', runId),
);

const sealedColumns = ['registry_id', 'run_id', 'timeout_seconds', 'data_key_id', 'sealed_request'] as const;

type SealedRequestRow = Pick<Selectable<RunRow>, (typeof sealedColumns)[number]>;

const sealedByRow = prepareRead<{ readonly rowId: number }, SealedRequestRow>((db, { rowId }) =>
  db.selectFrom('runs').select(sealedColumns).where('id', '=', rowId),
);

export function sealedRequestOf(db: ReadQueries, rowId: number): Promise<SealedRequestRow | undefined> {
  return sealedByRow.first(db, { rowId });
}

/** The newest first. */
export async function listRuns(db: ReadQueries, filter: RunFilter): Promise<readonly PlainRunRow[]> {
  const { registryId, before, statuses } = filter;
  if (statuses?.length === 0) return [];
  let query = db.selectFrom('runs').select(runColumns).where('registry_id', '=', registryId);
  query = withNames(query, filter);
  query = withTimes(query, filter);
  if (before !== undefined) {
    const last = await findRun(db, registryId, before);
    if (last === undefined) return [];
    query = query.where('id', '<', last.id);
  }
  return query.orderBy('id', 'desc').limit(Math.min(filter.limit, maxListed)).execute();
}

const maxListed = 1000;

type RunQuery = SelectQueryBuilder<Tables, 'runs', PlainRunRow>;

function withNames(query: RunQuery, filter: RunFilter): RunQuery {
  const { task, statuses, agentPool, runType, runId, requestedBy, image, isArchived } = filter;
  let found = query;
  if (task !== undefined) found = found.where('task', '=', task);
  if (statuses !== undefined) found = found.where('status', 'in', statuses);
  if (agentPool !== undefined) found = found.where('agent_pool', '=', agentPool);
  if (runType !== undefined) found = found.where('run_type', '=', runType);
  if (runId !== undefined) found = found.where('run_id', '=', runId);
  if (requestedBy !== undefined) found = found.where('requested_by', '=', requestedBy);
  if (isArchived !== undefined) found = found.where('is_archived', '=', isArchived ? 1 : 0);
  return image === undefined ? found : withImage(found, filter.registryId, image);
}

/** `repository`, `repository:tag`, or a digest. */
function withImage(query: RunQuery, registryId: number, image: string): RunQuery {
  const isDigest = /^sha(?:256|512):/.test(image);
  const colon = image.lastIndexOf(':');
  const [repository, tag] = colon === -1 ? [image, undefined] : [image.slice(0, colon), image.slice(colon + 1)];
  return query.where((eb) => {
    let pushed = eb
      .selectFrom('run_images')
      .select('run_images.run_row_id')
      .where('run_images.registry_id', '=', registryId)
      .whereRef('run_images.run_row_id', '=', 'runs.id');
    if (isDigest) pushed = pushed.where('run_images.digest', '=', image);
    else {
      pushed = pushed.where('run_images.repository', '=', repository);
      if (tag !== undefined) pushed = pushed.where('run_images.tag', '=', tag);
    }
    return eb.exists(pushed);
  });
}

function withTimes(query: RunQuery, { createdFrom, createdTo, finishedFrom, finishedTo }: RunFilter): RunQuery {
  let found = query;
  if (createdFrom !== undefined) found = found.where('created_at', '>=', createdFrom);
  if (createdTo !== undefined) found = found.where('created_at', '<=', createdTo);
  if (finishedFrom !== undefined) found = found.where('finished_at', '>=', finishedFrom);
  if (finishedTo !== undefined) found = found.where('finished_at', '<=', finishedTo);
  return found;
}

/** Runs that wait in a pool of a registry; those before one of them, when that is given. */
export async function countQueued(
  db: ReadQueries | WriteQueries,
  registryId: number,
  agentPool: string | null,
  before?: { readonly rowId: number; readonly os: string },
): Promise<number> {
  let query = db
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('status', '=', queued)
    .where('registry_id', '=', registryId)
    .where('agent_pool', agentPool === null ? 'is' : '=', agentPool);
  if (before !== undefined) query = query.where('id', '<', before.rowId).where('os', '=', before.os);
  return Number((await query.executeTakeFirst())?.count ?? 0);
}

/** Runs that agents hold, by registry. Counted here: to group them, SQLite would walk all runs that there are. */
export async function countRunning(db: ReadQueries | WriteQueries): Promise<ReadonlyMap<number, number>> {
  const rows = await allHeld.all(db, {});
  const counts = new Map<number, number>();
  for (const { registry_id } of rows) counts.set(registry_id, (counts.get(registry_id) ?? 0) + 1);
  return counts;
}

/** Whose the runs are that agents hold now. */
export function heldRuns(db: ReadQueries | WriteQueries) {
  return db.selectFrom('runs').select(['registry_id', 'agent_pool']).where('leased_until', 'is not', null);
}

const allHeld = prepareRead<Record<string, never>, Pick<RunRow, 'registry_id' | 'agent_pool'>>((db) => heldRuns(db));

export async function countAllQueued(db: ReadQueries): Promise<number> {
  const row = await db
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('status', '=', queued)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}
