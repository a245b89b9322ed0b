import type { LogRecord } from '@berth/api';
import { type LogSource, readChunks } from './read-chunks.ts';

export interface NumberedRecord extends LogRecord {
  readonly number: number;
}

export interface LogFilter {
  /** Number of the first record. */
  readonly from: number;
  readonly limit: number;
  readonly step?: string | undefined;
  /** Whatever its case. */
  readonly search?: string | undefined;
}

export interface LogPage {
  readonly records: readonly NumberedRecord[];
  /** Number of the record to go on with. */
  readonly next: number;
}

/** Records to look through for one page: a search of a long log is several questions. */
const maxLookedAt = 100_000;

/** @throws CONTENT_DAMAGED, KEY_UNAVAILABLE */
export async function readPage(
  source: LogSource,
  run: { readonly registryId: number; readonly rowId: number },
  { from, limit, step, search }: LogFilter,
): Promise<LogPage> {
  const wanted = search?.toLowerCase();
  const records: NumberedRecord[] = [];
  let next = from;
  for await (const chunk of readChunks(source, run, from)) {
    for (const [index, record] of chunk.records.entries()) {
      const number = chunk.firstRecord + index;
      next = number + 1;
      if (step !== undefined && record.step !== step) continue;
      if (wanted !== undefined && !record.text.toLowerCase().includes(wanted)) continue;
      records.push({ number, ...record });
      if (records.length >= limit) return { records, next };
    }
    if (next - from >= maxLookedAt) break;
  }
  return { records, next };
}
