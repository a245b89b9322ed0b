import type { WriteQueries } from '../platform/database/index.ts';
import { addCandidates } from '../platform/garbage/candidates.ts';
import { reservedPartDelayMs } from './model.ts';

export interface FreedUpload {
  readonly uploadId: string;
  /** A reserved part that surely has no object: its row goes at once, and nothing is left to collect. */
  readonly untouchedPart: string | undefined;
  readonly now: number;
}

/** Turns what an upload still has into garbage, and ends it. */
export async function endUpload(tx: WriteQueries, { uploadId, untouchedPart, now }: FreedUpload): Promise<void> {
  if (untouchedPart !== undefined) {
    await tx
      .deleteFrom('parts')
      .where('name', '=', untouchedPart)
      .where('upload_id', '=', uploadId)
      .where('size_bytes', 'is', null)
      .execute();
  }
  const rest = await tx
    .updateTable('parts')
    .set({ upload_id: null })
    .where('upload_id', '=', uploadId)
    .returning(['name', 'size_bytes'])
    .execute();
  await freeParts(tx, rest, now);
  await tx.deleteFrom('uploads').where('id', '=', uploadId).execute();
}

/** Makes candidates of parts that have just lost what referred to them. */
export async function freeParts(
  tx: WriteQueries,
  parts: readonly { readonly name: string; readonly size_bytes: number | null }[],
  now: number,
): Promise<void> {
  const durable = parts.filter((part) => part.size_bytes !== null).map((part) => part.name);
  const reserved = parts.filter((part) => part.size_bytes === null).map((part) => part.name);
  await addCandidates(tx, 'part', durable, now);
  await addCandidates(tx, 'part', reserved, now + reservedPartDelayMs);
}
