import { type FileHandle, open } from 'node:fs/promises';
import { Header, type HeaderData } from 'tar/header';
import { Pax } from 'tar/pax';
import { CommandError } from '../command-error.ts';
import type { ContextEntry } from './context-entry.ts';
import { unreadable } from './walk-folder.ts';

const blockBytes = 512;
const chunkBytes = 256 * 1024;

/**
 * Entries as a tar archive, chunk by chunk. Everything belongs to root, so that the archive does not depend on who packs it.
 * @throws CommandError when a file cannot be read, or changes meanwhile
 */
export async function* tarStream(entries: AsyncIterable<ContextEntry>): AsyncGenerator<Buffer> {
  for await (const entry of entries) {
    const { content } = entry;
    if (content.kind === 'file') yield* fileBlocks(entry, content.file);
    else if (content.kind === 'bytes')
      yield Buffer.concat([headOf(entry, { size: content.bytes.length }), padded(content.bytes)]);
    else if (content.kind === 'folder') yield headOf({ ...entry, path: `${entry.path}/` }, { type: 'Directory' });
    else yield headOf(entry, { type: 'SymbolicLink', linkpath: content.target });
  }
  yield Buffer.alloc(2 * blockBytes);
}

function headOf({ path, mode, modifiedAt }: ContextEntry, more: HeaderData): Buffer {
  const mtime = new Date(Math.floor(modifiedAt.getTime() / 1000) * 1000);
  const data: HeaderData = { path, mode, uid: 0, gid: 0, size: 0, type: 'File', mtime, ...more };
  const header = new Header(data);
  // Without prefix and length the block says all; otherwise another goes before it.
  const isShort = !header.encode();
  const block = header.block ?? Buffer.alloc(0);
  if (isShort) return block;
  const { size = 0, linkpath } = more;
  return Buffer.concat([new Pax({ path, size, ...(linkpath !== undefined && { linkpath }) }).encode(), block]);
}

async function* fileBlocks(entry: ContextEntry, file: string): AsyncGenerator<Buffer> {
  await using handle = await opened(file);
  const { size } = await handle.stat();
  yield headOf(entry, { size });
  let left = size;
  while (left > 0) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(chunkBytes, left)));
    if (bytesRead === 0) {
      throw new CommandError(
        `${file} became shorter while it was packed`,
        'wait until nothing writes into the folder any more, and try again',
      );
    }
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  const rest = size % blockBytes;
  if (rest > 0) yield Buffer.alloc(blockBytes - rest);
}

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % blockBytes;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(blockBytes - rest)]);
}
