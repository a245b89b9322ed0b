import { decompress } from './decompress.ts';
import { extractTar } from './extract-tar.ts';

/** Headers of half a million entries. */
const headerBytes = 2 ** 30;

export interface UnpackOptions {
  /** Of all files together. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Unpacks a tar archive, plain or compressed with gzip, zstd, bzip2 or xz, into a folder. @throws SourceError, or the signal's reason */
export async function unpack(packed: AsyncIterable<Buffer>, folder: string, { maxBytes, signal }: UnpackOptions): Promise<void> {
  const archive = decompress(untilAborted(packed, signal), { maxBytes: maxBytes + headerBytes, signal });
  await extractTar(archive, folder, { maxBytes });
}

async function* untilAborted(stream: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    signal.throwIfAborted();
    yield chunk;
  }
}
