import type { Fact } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { type Database, type ReadQueries, type RegisterRow, type WriteQueries, prepareRead } from '../platform/database/index.ts';
import { registerOf } from './queries.ts';
import { currentCursor } from './read-changes.ts';

type Reader = Pick<Database, 'engine' | 'read'>;

export interface SnapshotWanted {
  readonly registryId: number;
  /** `next` of the page before; undefined: from the beginning. */
  readonly after: string | undefined;
  readonly limit: number;
  /** Milliseconds. */
  readonly now: number;
}

export interface SnapshotRead {
  /** Manifests come without their bytes. */
  readonly facts: readonly Fact[];
  /** Undefined: there is no more. */
  readonly next: string | undefined;
  /** Where the log ended before this page was read. */
  readonly cursor: string;
  /** Facts of all pages; only with the first. */
  readonly total: number | undefined;
}

/** Everything that is known of the content of a registry, deletions too, a page at a time. @throws UNAVAILABLE while registers are being made */
export async function readSnapshot(database: Reader, wanted: SnapshotWanted): Promise<SnapshotRead> {
  const { registryId, after, limit } = wanted;
  await requireRegisters(database.read, registryId);
  // Before the page: what is written meanwhile is told twice rather than never.
  const cursor = await currentCursor(database, registryId, wanted.now);
  const rows = await registersAfter.all(database.read, { registryId, ...keyOf(after), limit });
  const total = after === undefined ? await countRegisters(database.read, registryId) : undefined;
  const last = rows.at(-1);
  return { facts: rows.map(factOf), next: rows.length < limit || last === undefined ? undefined : keyText(last), cursor, total };
}

async function requireRegisters(read: ReadQueries, registryId: number): Promise<void> {
  const row = await read.selectFrom('registries').select('registers_ready_at').where('id', '=', registryId).executeTakeFirst();
  if (row !== undefined && row.registers_ready_at !== null) return;
  throw new RegistryError('UNAVAILABLE', {
    message: 'the registry is being made ready for its replicas',
    headers: { 'Retry-After': '2' },
  });
}

type Key = Pick<RegisterRow, 'repository' | 'kind' | 'name'>;

type Place = Readonly<{ registryId: number; repository: string; kind: string; name: string }>;

/** Registers after one, in the order of snapshots. */
function after(db: ReadQueries | WriteQueries, { registryId, repository, kind, name }: Place) {
  return db
    .selectFrom('registers')
    .where('registry_id', '=', registryId)
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('repository', 'kind', 'name'), '>', tuple(repository, kind as Key['kind'], name)),
    );
}

function inOrderAfter(db: ReadQueries | WriteQueries, place: Place) {
  return after(db, place).orderBy('repository').orderBy('kind').orderBy('name');
}

export const registersAfter = prepareRead<Place & Readonly<{ limit: number }>, RegisterRow>(
  (db, { registryId, repository, kind, name, limit }) =>
    inOrderAfter(db, { registryId, repository, kind, name }).selectAll().limit(limit),
);

function factOf(row: RegisterRow): Fact {
  const { set, deleted, attributes } = registerOf(row);
  const { digest, ...stamp } = set;
  return {
    kind: row.kind,
    repository: row.repository,
    name: row.name,
    ...(set.clock > 0 && { set: { ...stamp, ...(digest !== undefined && { digest }) } }),
    ...(deleted.clock > 0 && { deleted }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

const nothing = { repository: '', kind: '', name: '' };

/** @throws CURSOR_UNKNOWN */
function keyOf(text: string | undefined): { readonly repository: string; readonly kind: string; readonly name: string } {
  if (text === undefined) return nothing;
  const [repository, kind, name, ...more] = Buffer.from(text, 'base64url').toString().split('\n');
  if (repository === undefined || kind === undefined || name === undefined || more.length > 0)
    throw new RegistryError('CURSOR_UNKNOWN', { message: 'this is no place in a snapshot' });
  return { repository, kind, name };
}

/** None of them has a line break in it. */
function keyText({ repository, kind, name }: Key): string {
  return Buffer.from([repository, kind, name].join('\n')).toString('base64url');
}

/** Rows that one look counts: the event loop goes on between two. */
const perCount = 20_000;

async function countRegisters(read: ReadQueries, registryId: number): Promise<number> {
  let total = 0;
  for (let place: Key | typeof nothing = nothing; ; ) {
    const [last] = await registerAt.all(read, { registryId, ...place, offset: perCount - 1 });
    if (last === undefined) return total + (await countAfter(read, registryId, place));
    total += perCount;
    place = last;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const registerAt = prepareRead<Place & Readonly<{ offset: number }>, Key>((db, { registryId, repository, kind, name, offset }) =>
  inOrderAfter(db, { registryId, repository, kind, name }).select(['repository', 'kind', 'name']).limit(1).offset(offset),
);

async function countAfter(read: ReadQueries, registryId: number, key: Key | typeof nothing): Promise<number> {
  const { count } = await after(read, { registryId, ...key })
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
