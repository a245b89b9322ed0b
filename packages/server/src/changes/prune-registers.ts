import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Fact } from '@berth/api';
import {
  type Database,
  type ReadQueries,
  type RegisterRow,
  type WriteQueries,
  defineTransaction,
} from '../platform/database/index.ts';
import { type Register, attributesThatHold, emptyRegister, isTagThere, isThere, ticksPerMs } from './model.ts';
import { registerOf } from './queries.ts';
import { registersAfter } from './read-snapshot.ts';

const perPage = 500;

interface ToPrune {
  readonly registryId: number;
  /** What was last said before is forgotten, where nothing is there any more (ms). */
  readonly before: number;
}

/** Forgets deletions that every region has heard of or is too old to hear of. Resolves with how many names were forgotten. */
export async function pruneRegisters(database: Database, { registryId, before }: ToPrune, signal: AbortSignal): Promise<number> {
  const cutoff = before * ticksPerMs;
  let forgotten = 0;
  // First what is in repositories: their own deletion is what says that it is not there.
  for (const ofRepositories of [false, true]) {
    let after: Pick<RegisterRow, 'repository' | 'kind' | 'name'> | { repository: string; kind: string; name: string } | undefined;
    after = { repository: '', kind: '', name: '' };
    while (after !== undefined && !signal.aborted) {
      const rows: RegisterRow[] = await registersAfter.all(database.read, { registryId, ...after, limit: perPage });
      const old = rows.filter((row) => (row.kind === 'repository') === ofRepositories && isOld(row, cutoff));
      const gone = ofRepositories ? old.filter(isOnlyDeleted) : await notThere(database.read, registryId, old);
      if (gone.length > 0) forgotten += await database.write(forgetRegisters, { registryId, rows: gone });
      after = rows.length < perPage ? undefined : rows.at(-1);
      await nextTurn();
    }
  }
  return forgotten;
}

/** Everything that is known of it was said before. */
function isOld(row: RegisterRow, cutoff: number): boolean {
  if (row.set_clock >= cutoff || row.deleted_clock >= cutoff) return false;
  return Object.values(registerOf(row).attributes).every(({ clock }) => clock < cutoff);
}

/** Of a repository nothing holds but that it was deleted. */
function isOnlyDeleted(row: RegisterRow): boolean {
  const register = registerOf(row);
  return register.deleted.clock > 0 && Object.keys(attributesThatHold(register, register.deleted)).length === 0;
}

async function notThere(read: ReadQueries, registryId: number, rows: readonly RegisterRow[]): Promise<readonly RegisterRow[]> {
  const gone: RegisterRow[] = [];
  for (const [repository, ofRepository] of Map.groupBy(rows, (row) => row.repository)) {
    const place = { registryId, repository };
    const { deleted } = (await registersOf(read, place, 'repository', [''])).get('') ?? emptyRegister;
    const named = ofRepository.flatMap((row) => (row.kind === 'tag' && row.digest !== null ? [row.digest] : []));
    const manifests = await registersOf(read, place, 'manifest', named);
    for (const row of ofRepository) {
      const register = registerOf(row);
      const manifest = manifests.get(row.digest ?? '') ?? emptyRegister;
      const isHere = row.kind === 'tag' ? isTagThere(register, manifest, deleted) : isThere(register, deleted);
      if (!isHere) gone.push(row);
    }
  }
  return gone;
}

async function registersOf(
  read: ReadQueries,
  { registryId, repository }: { readonly registryId: number; readonly repository: string },
  kind: Fact['kind'],
  names: readonly string[],
): Promise<ReadonlyMap<string, Register>> {
  if (names.length === 0) return new Map();
  const rows = await read
    .selectFrom('registers')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('kind', '=', kind)
    .where('name', 'in', names)
    .execute();
  return new Map(rows.map((row) => [row.name, registerOf(row)]));
}

interface ForgetRegisters {
  readonly registryId: number;
  /** As they were when they were judged: one that was told something since stays. */
  readonly rows: readonly RegisterRow[];
}

/** Returns how many went. What is live, or on its way, keeps its register whatever was judged. */
export const forgetRegisters = defineTransaction(
  'changes.forget-registers',
  async (tx, { registryId, rows }: ForgetRegisters): Promise<number> => {
    let gone = 0;
    for (const row of rows) {
      if (await isNeeded(tx, registryId, row)) continue;
      const forgotten = await tx
        .deleteFrom('registers')
        .where('registry_id', '=', registryId)
        .where('repository', '=', row.repository)
        .where('kind', '=', row.kind)
        .where('name', '=', row.name)
        .where('set_clock', '=', row.set_clock)
        .where('deleted_clock', '=', row.deleted_clock)
        .where('attributes', '=', row.attributes)
        .returning('name')
        .execute();
      gone += forgotten.length;
    }
    return gone;
  },
);

async function isNeeded(tx: WriteQueries, registryId: number, row: RegisterRow): Promise<boolean> {
  if (row.kind === 'repository') return decidesStill(tx, registryId, row);
  const live = tx
    .selectFrom('repositories')
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.name', '=', row.repository)
    .where('repositories.deleted_at', 'is', null);
  const found =
    row.kind === 'tag'
      ? await live
          .innerJoin('tags', 'tags.repository_id', 'repositories.id')
          .select('repositories.id')
          .where('tags.name', '=', row.name)
          .executeTakeFirst()
      : await live
          .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
          .select('repositories.id')
          .where('manifests.digest', '=', row.name)
          .executeTakeFirst();
  if (found !== undefined || row.kind === 'tag') return found !== undefined;
  const pending = await tx
    .selectFrom('pending_manifests')
    .select('id')
    .where('registry_id', '=', registryId)
    .where('repository', '=', row.repository)
    .where('digest', '=', row.name)
    .executeTakeFirst();
  return pending !== undefined;
}

/** Something in the repository was pushed before its deletion, or was said of something perhaps before it. */
async function decidesStill(tx: WriteQueries, registryId: number, { repository, deleted_clock }: RegisterRow): Promise<boolean> {
  const decided = await tx
    .selectFrom('registers')
    .select('name')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('kind', 'in', ['manifest', 'tag'])
    .where((row) =>
      row.or([row.and([row('set_clock', '>', 0), row('set_clock', '<=', deleted_clock)]), row('attributes', '!=', '{}')]),
    )
    .limit(1)
    .executeTakeFirst();
  return decided !== undefined;
}
