import { type Fact, type FactAttribute, type Stamp } from '@berth/api';
import type { Clock } from '../platform/clock.ts';
import { type Database, type WriteQueries, defineTransaction, prepareRead } from '../platform/database/index.ts';
import { emptyRegister, join, ticksPerMs } from './model.ts';
import { logFacts } from './queries.ts';
import { columnsOf, joinRegister } from './registers.ts';
import { untilSettled } from './settled.ts';

const perBatch = 500;

const waiting = prepareRead<Record<string, never>, { readonly id: number }>((db) =>
  db
    .selectFrom('registries')
    .select('id')
    .where('is_replicated', '=', 1)
    .where('registers_ready_at', 'is', null)
    .where('deleted_at', 'is', null),
);

interface MakerParts {
  readonly database: Database;
  readonly clock: Clock;
}

/** To be called again and again: makes registers of what was in registries before they were replicated. Resolves with how many registries are ready now. */
export async function makeRegisters({ database, clock }: MakerParts, signal: AbortSignal): Promise<number> {
  let ready = 0;
  for (const { id } of await waiting.all(database.read, {})) {
    // A transaction may still run that found the registry not replicated: what it does has no registers, and must be seen here.
    await untilSettled(database, signal);
    let place: RegisterPlace | undefined = first;
    while (place !== undefined && !signal.aborted)
      place = await database.write(makeSomeRegisters, { registryId: id, place, now: clock.now() });
    if (signal.aborted) break;
    await database.write(registersReady, { registryId: id, now: clock.now() });
    ready += 1;
  }
  return ready;
}

/** In the order of the repositories' ids: of each itself, its manifests, its tags. */
interface RegisterPlace {
  readonly repositoryId: number;
  readonly kind: Fact['kind'];
  /** Of the last one that was made. */
  readonly name: string;
}

const first: RegisterPlace = { repositoryId: 0, kind: 'tag', name: '' };

export interface MakeSomeRegisters {
  readonly registryId: number;
  readonly place: RegisterPlace;
  readonly now: number;
}

/** Makes some registers, and returns where to go on. What was pushed before counts as pushed in this region, then. */
const makeSomeRegisters = defineTransaction(
  'changes.make-registers',
  async (tx, { registryId, place, now }: MakeSomeRegisters): Promise<RegisterPlace | undefined> => {
    const log = await logFacts.first(tx, { registryId });
    if (log === undefined) return undefined;
    const current = await repositoryAt(tx, registryId, place);
    if (current === undefined) return undefined;
    const { id: repositoryId, name: repository } = current;
    const of = { repositoryId, repository, origin: log.region, now };
    if (place.repositoryId !== repositoryId) {
      await joinAll(tx, registryId, repositoryFacts(current, of));
      return { repositoryId, kind: 'manifest', name: '' };
    }
    const facts = await (place.kind === 'manifest' ? manifestFacts(tx, of, place.name) : tagFacts(tx, of, place.name));
    await joinAll(tx, registryId, facts);
    const last = facts.at(-1);
    if (last !== undefined && facts.length === perBatch) return { ...place, name: last.name };
    return { repositoryId, kind: 'tag', name: place.kind === 'manifest' ? '' : end };
  },
);

/** Behind all tags. */
const end = '\u{10ffff}';

/** The repository of a place; the next one where it is done with, or was deleted. */
async function repositoryAt(tx: WriteQueries, registryId: number, { repositoryId, kind, name }: RegisterPlace) {
  const isDone = kind === 'tag' && (name === end || repositoryId === 0);
  return tx
    .selectFrom('repositories')
    .select(['id', 'name', 'updated_at', 'delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'])
    .where('registry_id', '=', registryId)
    .where('deleted_at', 'is', null)
    .where('id', isDone ? '>' : '>=', repositoryId)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

interface OfRepository {
  readonly repositoryId: number;
  readonly repository: string;
  readonly origin: string;
  readonly now: number;
}

type Said = Readonly<Partial<Record<FactAttribute, number | string | null>>>;

const flags = ['delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'] as const;
const verdict = ['quarantine_state', 'quarantine_details'] as const;

/** Those that are not as they are of something new. */
function attributesOf(row: Said, stamp: Stamp): Pick<Fact, 'attributes'> {
  const said = [
    ...flags.filter((name) => row[name] === 0),
    ...verdict.filter((name) => row[name] !== null && row[name] !== undefined),
  ].map((name) => [name, { ...stamp, value: row[name] ?? null }] as const);
  return said.length === 0 ? {} : { attributes: Object.fromEntries(said) };
}

/** A clock that was ahead then must not be later than what is done from now on. */
function stampAt(pushedAt: number, { origin, now }: OfRepository): Stamp {
  return { clock: Math.max(1, Math.min(pushedAt, now) * ticksPerMs), origin };
}

function repositoryFacts(row: Said & { readonly updated_at: number }, of: OfRepository): readonly Fact[] {
  const { attributes } = attributesOf(row, stampAt(row.updated_at, of));
  return attributes === undefined ? [] : [{ kind: 'repository', repository: of.repository, name: '', attributes }];
}

async function manifestFacts(tx: WriteQueries, of: OfRepository, after: string): Promise<readonly Fact[]> {
  const rows = await tx
    .selectFrom('manifests')
    .select(['digest', 'pushed_at', ...flags, ...verdict])
    .where('repository_id', '=', of.repositoryId)
    .where('digest', '>', after)
    .orderBy('digest')
    .limit(perBatch)
    .execute();
  return rows.map((row) => {
    const set = stampAt(row.pushed_at, of);
    return { kind: 'manifest', repository: of.repository, name: row.digest, set, ...attributesOf(row, set) };
  });
}

async function tagFacts(tx: WriteQueries, of: OfRepository, after: string): Promise<readonly Fact[]> {
  const rows = await tx
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['tags.name', 'tags.pushed_at', 'manifests.digest'])
    .select(['tags.delete_enabled', 'tags.write_enabled', 'tags.list_enabled', 'tags.read_enabled'])
    .where('tags.repository_id', '=', of.repositoryId)
    .where('tags.name', '>', after)
    .orderBy('tags.name')
    .limit(perBatch)
    .execute();
  return rows.map((row) => {
    const stamp = stampAt(row.pushed_at, of);
    const set = { ...stamp, digest: row.digest };
    return { kind: 'tag', repository: of.repository, name: row.name, set, ...attributesOf(row, stamp) };
  });
}

/** Most are not there yet; those that are were written since, and take in what was before. */
async function joinAll(tx: WriteQueries, registryId: number, facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  const rows = facts.map((fact) => {
    const { kind, repository, name } = fact;
    return { registry_id: registryId, kind, repository, name, ...columnsOf(join(emptyRegister, fact).register) };
  });
  const inserted = await tx
    .insertInto('registers')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'kind', 'name']).doNothing())
    .returning('name')
    .execute();
  if (inserted.length === facts.length) return;
  const made = new Set(inserted.map(({ name }) => name));
  for (const fact of facts) if (!made.has(fact.name)) await joinRegister(tx, registryId, fact);
}

const registersReady = defineTransaction(
  'changes.registers-ready',
  async (tx, { registryId, now }: { readonly registryId: number; readonly now: number }): Promise<void> => {
    await tx
      .updateTable('registries')
      .set({ registers_ready_at: now })
      .where('id', '=', registryId)
      .where('registers_ready_at', 'is', null)
      .execute();
  },
);

export const registerTransactions = [makeSomeRegisters, registersReady];
