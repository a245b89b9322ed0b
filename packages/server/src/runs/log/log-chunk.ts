import type { LogRecord } from '@berth/api';
import type { KeyRing } from '../../platform/keys/index.ts';
import { openBytes, sealBytes } from '../../platform/sealing/index.ts';
import { renderLog } from './render-log.ts';

/** Records as they are sealed: a line of JSON each, so that chunks joined are a chunk. */

const streams = ['agent', 'stdout', 'stderr'] as const;
/** Of one record, in characters; what is longer is cut. */
const maxTextLength = 65_536;
const maxStepLength = 256;
/** Of times that a date can show with four digits of year. */
const latestTime = Date.UTC(9999, 11, 31);

/** What an agent said, fit to be kept: bounded, one line, well-formed. */
export function cleanRecord({ time, step, stream, text }: LogRecord): LogRecord {
  const line = text
    .slice(0, maxTextLength)
    .toWellFormed()
    .replaceAll(/[\r\n\0]+/g, ' ');
  const name = step.slice(0, maxStepLength).toWellFormed().replaceAll('\0', '');
  return { time: Math.min(Math.max(Math.trunc(time), 0), latestTime), step: name, stream, text: line };
}

export function encodeRecords(records: readonly LogRecord[]): Buffer {
  const lines = records.map(({ time, step, stream, text }) => `${JSON.stringify([time, step, streams.indexOf(stream), text])}\n`);
  return Buffer.from(lines.join(''));
}

export function decodeRecords(bytes: Buffer): LogRecord[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [time, step, stream, text] = JSON.parse(line) as [number, string, number, string];
      return { time, step, stream: streams[stream] ?? 'agent', text };
    });
}

export interface ChunkName {
  readonly registryId: number;
  readonly rowId: number;
  readonly firstRecord: number;
}

/** A chunk as its row has it while the run goes on. */
export interface NewChunk {
  readonly first_record: number;
  readonly records: number;
  readonly raw_offset: number;
  readonly raw_bytes: number;
  readonly data_key_id: string;
  readonly sealed: Uint8Array;
}

export function sealChunk(keys: KeyRing, name: ChunkName, rawOffset: number, records: readonly LogRecord[]): NewChunk {
  const key = keys.current(name.registryId);
  return {
    first_record: name.firstRecord,
    records: records.length,
    raw_offset: rawOffset,
    raw_bytes: renderLog(records).length,
    data_key_id: key.id,
    sealed: sealBytes(key, textOf(name), encodeRecords(records)),
  };
}

/** @throws KEY_UNAVAILABLE, SealBrokenError */
export function openChunk(keys: KeyRing, name: ChunkName, dataKeyId: string, sealed: Uint8Array): Buffer {
  return openBytes(keys.get(name.registryId, dataKeyId), textOf(name), sealed);
}

function textOf({ registryId, rowId, firstRecord }: ChunkName): string {
  return `log:${registryId}:${rowId}:${firstRecord}`;
}
