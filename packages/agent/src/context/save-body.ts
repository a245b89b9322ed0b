import { open } from 'node:fs/promises';
import { SourceError } from './source-error.ts';

/** Writes a body to a new file, of at most so many bytes. @throws SourceError */
export async function saveBody(body: AsyncIterable<Buffer>, path: string, maxBytes: number): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new SourceError(`the download is larger than the ${maxBytes} bytes that a workspace may have`);
      await file.appendFile(chunk);
    }
  } finally {
    await file.close();
  }
}

/** A body as bytes. @throws SourceError when there are more than so many */
export async function readBody(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new SourceError(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
