import type { LogRecord } from '@berth/api';
import type { KeyRing } from '../../platform/keys/index.ts';
import type { PlainRunRow } from '../run-facts.ts';
import type { RunLimits } from '../runs-context.ts';
import { type NewChunk, cleanRecord, sealChunk } from './log-chunk.ts';
import { renderLog } from './render-log.ts';

export interface NextChunk {
  /** What of the records is new; undefined: nothing. */
  readonly chunk: NewChunk | undefined;
  /** Number of the record that is to come next. */
  readonly next: number;
}

export interface ComingRecords {
  /** Number of the first. */
  readonly from: number;
  readonly records: readonly LogRecord[];
  readonly now: number;
}

type LogLimits = Pick<RunLimits, 'maxLogBytes' | 'maxLogRecords'>;

/** Whether the log of a run takes no more. */
function isFull({ log_bytes, log_records }: PlainRunRow, { maxLogBytes, maxLogRecords }: LogLimits): boolean {
  return log_bytes >= maxLogBytes || log_records >= maxLogRecords;
}

/** Takes what is new of the records that an agent sends, up to the limits, and seals it. */
export function nextChunk(keys: KeyRing, row: PlainRunRow, { from, records, now }: ComingRecords, limits: LogLimits): NextChunk {
  const end = from + records.length;
  // What is beyond a full log is taken and dropped: the agent goes on.
  if (isFull(row, limits)) return { chunk: undefined, next: Math.max(end, row.log_records) };
  if (from > row.log_records || end <= row.log_records) return { chunk: undefined, next: row.log_records };
  const fresh = records.slice(row.log_records - from).map(cleanRecord);
  const taken: LogRecord[] = [];
  let bytes = row.log_bytes;
  for (const record of fresh) {
    taken.push(record);
    bytes += renderLog([record]).length;
    if (bytes < limits.maxLogBytes && row.log_records + taken.length < limits.maxLogRecords) continue;
    taken.push(lastRecord(limits, now));
    break;
  }
  const name = { registryId: row.registry_id, rowId: row.id, firstRecord: row.log_records };
  return { chunk: sealChunk(keys, name, row.log_bytes, taken), next: end };
}

function lastRecord({ maxLogBytes, maxLogRecords }: LogLimits, now: number): LogRecord {
  const text = `the log ends here: it has reached its limit of ${maxLogBytes} bytes or ${maxLogRecords} lines; the run goes on`;
  return { time: now, step: '', stream: 'agent', text };
}
