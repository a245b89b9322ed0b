import { recordAtByte } from './chunk-rows.ts';
import { type LogSource, readChunks } from './read-chunks.ts';
import { renderLog } from './render-log.ts';

/** Bytes `[start, end)` of a log as text; less when it has no more. @throws CONTENT_DAMAGED, KEY_UNAVAILABLE */
export async function* readText(
  source: LogSource,
  run: { readonly registryId: number; readonly rowId: number },
  { start, end }: { readonly start: number; readonly end: number },
): AsyncGenerator<Buffer, void, undefined> {
  if (start >= end) return;
  const record = await recordAtByte(source.database.read, run.rowId, start);
  if (record === undefined) return;
  for await (const { rawOffset, records } of readChunks(source, run, record)) {
    if (rawOffset >= end) return;
    const text = renderLog(records);
    const piece = text.subarray(Math.max(0, start - rawOffset), end - rawOffset);
    if (piece.length > 0) yield piece;
  }
}
