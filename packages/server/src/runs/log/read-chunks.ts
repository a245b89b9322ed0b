import type { LogRecord } from '@berth/api';
import type { RunsContext } from '../runs-context.ts';
import { RegistryError } from '../../errors/index.ts';
import { PartDamagedError } from '../../platform/blob-store/index.ts';
import { SealBrokenError } from '../../platform/sealing/index.ts';
import { type ChunkRow, chunkFromRecord } from './chunk-rows.ts';
import { decodeRecords, openChunk } from './log-chunk.ts';
import { renderLog } from './render-log.ts';

export interface OpenedChunk {
  /** Number of the first of `records`. */
  readonly firstRecord: number;
  /** Where it begins in the log as text. */
  readonly rawOffset: number;
  readonly records: readonly LogRecord[];
}

export type LogSource = Pick<RunsContext, 'database' | 'keys' | 'store'>;

/**
 * The log of a run from a record on, a chunk at a time, up to what is durable when it is asked for. It may be moved into the
 * blob store meanwhile.
 * @throws CONTENT_DAMAGED, KEY_UNAVAILABLE
 */
export async function* readChunks(
  source: LogSource,
  run: { readonly registryId: number; readonly rowId: number },
  fromRecord: number,
): AsyncGenerator<OpenedChunk, void, undefined> {
  for (let record = fromRecord; ; ) {
    const row = await chunkFromRecord(source.database.read, run.rowId, record);
    if (row === undefined) return;
    const all = decodeRecords(await open(source, run.registryId, row));
    const known = all.slice(0, record - row.first_record);
    const rawOffset = row.raw_offset + renderLog(known).length;
    yield { firstRecord: record, rawOffset, records: all.slice(known.length) };
    record = row.first_record + row.records;
  }
}

async function open(source: LogSource, registryId: number, row: ChunkRow): Promise<Buffer> {
  try {
    const { run_row_id: rowId, first_record: firstRecord, data_key_id: keyId, sealed } = row;
    if (sealed !== null) return openChunk(source.keys, { registryId, rowId, firstRecord }, keyId, sealed);
    return await readObject(source, registryId, row);
  } catch (error) {
    if (!(error instanceof SealBrokenError || error instanceof PartDamagedError)) throw error;
    throw new RegistryError('CONTENT_DAMAGED', { message: 'the log of the run is damaged', cause: error });
  }
}

async function readObject({ database, keys, store }: LogSource, registryId: number, row: ChunkRow): Promise<Buffer> {
  const { object_id: id, object_offset: offset, object_bytes: length } = row;
  const object = await database.read
    .selectFrom('run_objects')
    .select(['part_name', 'data_key_id', 'size_bytes'])
    .where('id', '=', id ?? '')
    .executeTakeFirst();
  if (object === undefined || object.size_bytes === null || offset === null || length === null)
    throw new PartDamagedError('a chunk of a log does not say where it is');
  const key = keys.get(registryId, object.data_key_id);
  const range = { start: offset, end: offset + length, sizeBytes: object.size_bytes };
  const buffers: Buffer[] = [];
  for await (const some of store.read(object.part_name, key, range)) buffers.push(...some);
  return Buffer.concat(buffers);
}
