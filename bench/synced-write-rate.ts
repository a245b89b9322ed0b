import { randomFillSync } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const chunk = randomFillSync(Buffer.allocUnsafe(1 << 20));
const totalBytes = 1_000_000_000;

/** Bytes per second that the disk takes when so many writers make new files of a size and sync each. */
export async function syncedWriteRate(fileBytes: number, writers: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'disk-bench-'));
  const files = Math.max(writers, Math.floor(Math.min(totalBytes, fileBytes * 300) / fileBytes));
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let index = next++; index < files; index = next++) await writeSynced(join(folder, String(index)), fileBytes);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  await rm(folder, { recursive: true });
  return (files * fileBytes) / seconds;
}

async function writeSynced(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx');
  for (let left = bytes; left > 0; left -= chunk.length) await file.write(chunk, 0, Math.min(left, chunk.length));
  await file.sync();
  await file.close();
}
