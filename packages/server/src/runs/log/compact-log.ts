import { prepareRead } from '../../platform/database/index.ts';
import type { SealedWriter } from '../../platform/blob-store/index.ts';
import type { RunsContext } from '../runs-context.ts';
import { addObject, newObject } from '../sources/objects.ts';
import { encodeRecords } from './log-chunk.ts';
import { type MovedChunk, moveLog } from './transactions.ts';
import { readChunks } from './read-chunks.ts';
import { renderLog } from './render-log.ts';

/** Of a chunk in the object: small enough to be opened for one page, large enough that a log has few. */
const chunkBytes = 256 * 1024;
/** After which an object that nobody finished is erased. */
const patienceMs = 3_600_000;
const runsAtOnce = 20;

type CompactContext = Pick<RunsContext, 'database' | 'keys' | 'store' | 'clock' | 'log'>;

/** Moves the log of a run that has ended from its rows into one object. Two that do so at once do no harm. */
export async function compactLog(
  context: CompactContext,
  run: { readonly registryId: number; readonly rowId: number },
): Promise<void> {
  const { database, keys, store, clock } = context;
  if (!(await hasSealedChunks(context, run.rowId))) return;
  const key = keys.current(run.registryId);
  const object = newObject({
    registryId: run.registryId,
    kind: 'log',
    dataKeyId: key.id,
    owner: '',
    runRowId: run.rowId,
    now: clock.now(),
    keptMs: patienceMs,
  });
  await database.write(addObject, { object, maxObjects: undefined });
  const writer = await store.create(object.part_name, key);
  try {
    const chunks = await writeChunks(context, run, writer);
    await writer.commit();
    const expiresAt = object.expires_at ?? 0;
    const moved = { id: object.id, dataKeyId: key.id, sizeBytes: writer.sizeBytes, expiresAt };
    // Of two that moved the same log one is too late; its object expires.
    await database.write(moveLog, { rowId: run.rowId, object: moved, chunks });
  } catch (error) {
    await writer.cancel().catch(() => undefined);
    throw error;
  }
}

/** Logs that nobody moved: their process ended, or the store was not there. */
export async function compactRest(context: CompactContext, signal: AbortSignal): Promise<void> {
  const left = await context.database.read
    .selectFrom('run_log_chunks')
    .innerJoin('runs', 'runs.id', 'run_log_chunks.run_row_id')
    .select(['runs.id as rowId', 'runs.registry_id as registryId'])
    .distinct()
    .where('run_log_chunks.sealed', 'is not', null)
    .where('runs.finished_at', 'is not', null)
    .limit(runsAtOnce)
    .execute();
  for (const run of left) {
    if (signal.aborted) return;
    await compactLog(context, run).catch((error: unknown) =>
      context.log.warn({ err: error, rowId: run.rowId }, 'the log of a run could not be moved into the store'),
    );
  }
}

const sealedChunk = prepareRead<{ readonly rowId: number }, { readonly first_record: number }>((db, { rowId }) =>
  db.selectFrom('run_log_chunks').select('first_record').where('run_row_id', '=', rowId).where('sealed', 'is not', null).limit(1),
);

async function hasSealedChunks({ database }: CompactContext, rowId: number): Promise<boolean> {
  return (await sealedChunk.first(database.read, { rowId })) !== undefined;
}

async function writeChunks(
  context: CompactContext,
  run: { readonly registryId: number; readonly rowId: number },
  writer: SealedWriter,
): Promise<readonly MovedChunk[]> {
  const chunks: MovedChunk[] = [];
  let open: MovedChunk | undefined;
  for await (const { firstRecord, rawOffset, records } of readChunks(context, run, 0)) {
    const bytes = encodeRecords(records);
    const { length } = bytes;
    const rawBytes = renderLog(records).length;
    if (open === undefined || open.object_bytes + length > chunkBytes) {
      if (open !== undefined) chunks.push(open);
      const at = writer.sizeBytes;
      open = { first_record: firstRecord, records: 0, raw_offset: rawOffset, raw_bytes: 0, object_offset: at, object_bytes: 0 };
    }
    open = {
      ...open,
      records: open.records + records.length,
      raw_bytes: open.raw_bytes + rawBytes,
      object_bytes: open.object_bytes + length,
    };
    await writer.write(bytes);
  }
  if (open !== undefined) chunks.push(open);
  return chunks;
}
