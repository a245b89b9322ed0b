import type { Change, Fact } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Database } from '../platform/database/index.ts';
import { type Cursor, cursorText, parseCursor } from './cursor.ts';
import { type LogPlace, type LogRow, countAfter, lastRow, rowAt, rowAtOrBefore, rowsAfter, start } from './log-rows.ts';
import { prunedConsumer } from './prune-log.ts';

type Reader = Pick<Database, 'engine' | 'read'>;

export interface ChangesWanted {
  readonly registryId: number;
  /** A cursor. */
  readonly after: string;
  readonly limit: number;
  /** A region: what was done there first is left out. */
  readonly except?: string | undefined;
  /** How long deletions are remembered. */
  readonly tombstoneRetentionMs: number;
  /** Milliseconds. */
  readonly now: number;
}

export interface ChangesRead {
  readonly changes: readonly Change[];
  /** Where to go on. */
  readonly next: string;
  /** Changes behind these; ten thousand: so many or more. */
  readonly behind: number;
}

const maxBehind = 10_000;
/** Pages of nothing but what is to be left out that one call passes over. */
const maxPages = 20;

/**
 * What changed after a cursor, in the order in which this region came to know it. Manifests come without their bytes.
 * @throws CURSOR_UNKNOWN when the log does not reach back to it or was rewound, REPLICA_TOO_OLD when deletions may be forgotten, too
 */
export async function readChanges(database: Reader, wanted: ChangesWanted): Promise<ChangesRead> {
  const { registryId, limit, except } = wanted;
  const cursor = parseCursor(wanted.after);
  if (cursor === undefined) throw new RegistryError('CURSOR_UNKNOWN', { message: 'this is no cursor of a change log' });
  let place = await requirePlace(database, wanted, cursor);
  let next = wanted.after;
  for (let page = 1; ; page += 1) {
    const rows = await rowsAfter(database, { registryId, after: place, limit });
    const last = rows.at(-1);
    if (last === undefined) return { changes: [], next, behind: 0 };
    [place, next] = [last, cursorOf(last)];
    const changes = rows.filter((row) => except === undefined || row.origin !== except).map(changeOf);
    const isEnd = rows.length < limit;
    if (changes.length === 0 && !isEnd && page < maxPages) continue;
    return { changes, next, behind: isEnd ? 0 : await countAfter(database, { registryId, after: place, limit: maxBehind }) };
  }
}

/** Where the log ends now: whoever goes on from there misses nothing that is written from here on. */
export async function currentCursor(database: Reader, registryId: number, now: number): Promise<string> {
  const last = await lastRow(database, registryId);
  return last === undefined ? cursorText({ sequence: 0, clock: 0, time: now }) : cursorOf(last);
}

function cursorOf({ sequence, clock, created_at }: LogRow): string {
  return cursorText({ sequence, clock, time: created_at });
}

/** The text is ours. */
function changeOf({ sequence, action, is_visible, fact }: LogRow): Change {
  return { sequence, action, isVisible: is_visible === 1, fact: JSON.parse(fact) as Fact };
}

async function requirePlace(database: Reader, wanted: ChangesWanted, cursor: Cursor): Promise<LogPlace> {
  if (cursor.sequence === 0) {
    if (!(await isPruned(database, wanted.registryId))) return start;
  } else {
    const row = await rowAt(database, wanted.registryId, cursor.sequence);
    if (row?.clock === cursor.clock) return row;
  }
  if (wanted.now - cursor.time <= wanted.tombstoneRetentionMs) throw new RegistryError('CURSOR_UNKNOWN');
  throw new RegistryError('REPLICA_TOO_OLD');
}

async function isPruned({ read }: Reader, registryId: number): Promise<boolean> {
  const row = await read
    .selectFrom('change_cursors')
    .select('sequence')
    .where('registry_id', '=', registryId)
    .where('consumer', '=', prunedConsumer)
    .executeTakeFirst();
  return row !== undefined;
}

export interface LogEntry extends Change {
  /** When it was written here (ms). */
  readonly at: number;
}

/**
 * The same for who keeps the last sequence that it has read (`change_cursors`); 0: nothing yet. The entries are in the order of
 * their sequences; `next` is what to keep.
 */
export async function readLog(
  database: Reader,
  { registryId, after, limit }: { readonly registryId: number; readonly after: number; readonly limit: number },
): Promise<{ readonly entries: readonly LogEntry[]; readonly next: number }> {
  // Its row is kept while its reader is known.
  const place = after === 0 ? start : ((await rowAtOrBefore(database, registryId, after)) ?? start);
  const rows = await rowsAfter(database, { registryId, after: place, limit });
  const entries = rows.map((row) => ({ ...changeOf(row), at: row.created_at }));
  return { entries: entries.toSorted((a, b) => a.sequence - b.sequence), next: rows.at(-1)?.sequence ?? after };
}
