import { Header, Pax } from 'tar';

export interface TestEntry {
  readonly path: string;
  /** Default: File. */
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'BlockDevice' | 'FIFO';
  readonly linkpath?: string;
  readonly mode?: number;
  readonly content?: string | Buffer;
}

const block = 512;

/** One entry as it stands in an archive, written without any of the care that programs that pack take. */
export function entryOf({ path, type = 'File', linkpath, mode = 0o644, content = '' }: TestEntry): Buffer {
  const bytes = Buffer.from(content);
  const facts = { mode, size: bytes.length, type, mtime: new Date(1_700_000_000_000) };
  const header = new Header({ ...facts, path, ...(linkpath !== undefined && { linkpath }) });
  const head = Buffer.alloc(block);
  header.encode(head, 0);
  const long =
    path.length > 100 || (linkpath?.length ?? 0) > 100
      ? new Pax({ ...facts, path, ...(linkpath !== undefined && { linkpath }) }).encode()
      : Buffer.alloc(0);
  return Buffer.concat([long, head, padded(bytes)]);
}

/** A tar archive; `end`: without it, it is cut off at the end of an entry. */
export function archiveOf(entries: readonly TestEntry[], { end = true }: { readonly end?: boolean } = {}): Buffer {
  return Buffer.concat([...entries.map(entryOf), end ? Buffer.alloc(2 * block) : Buffer.alloc(0)]);
}

/** A block of a type of one letter, with a body: what no library writes. */
export function rawEntry(letter: string, path: string, body: Buffer): Buffer {
  const head = entryOf({ path, content: '' }).subarray(0, block);
  head.write(letter, 156, 'latin1');
  head.write(`${body.length.toString(8).padStart(11, '0')} `, 124, 'latin1');
  return Buffer.concat([withChecksum(head), padded(body)]);
}

function withChecksum(head: Buffer): Buffer {
  head.write('        ', 148, 'latin1');
  const sum = head.subarray(0, block).reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
}
