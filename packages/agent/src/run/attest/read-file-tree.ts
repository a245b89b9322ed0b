import { Parser, type ReadEntry } from 'tar';
import { ContentsUnreadable } from './image-contents.ts';
import { type FileKind, kindOf } from './wanted-files.ts';

/** A file of an image that tells of packages. */
export interface TellingFile {
  readonly kind: FileKind;
  readonly path: string;
  /** Undefined where a link stands instead of it, or where its content is of no use. */
  readonly text: string | undefined;
}

export interface TreeLimits {
  readonly maxTreeBytes: number;
  readonly maxEntries: number;
  readonly maxFileBytes: number;
  /** Of all files that tell of packages. */
  readonly maxKeptBytes: number;
}

const usualLimits: TreeLimits = {
  maxTreeBytes: 256 * 2 ** 30,
  maxEntries: 5_000_000,
  maxFileBytes: 64 * 2 ** 20,
  maxKeptBytes: 256 * 2 ** 20,
};

const fileTypes: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
const linkTypes: ReadonlySet<string> = new Set(['SymbolicLink', 'Link']);

/**
 * Picks what tells of packages out of the file tree of an image, which an engine exports as a tar archive. Nothing is written
 * anywhere, links are not followed, and what is kept is bounded (attack 32).
 * @throws ContentsUnreadable
 */
export async function readFileTree(
  archive: AsyncIterable<Buffer>,
  limits: Partial<TreeLimits> = {},
): Promise<readonly TellingFile[]> {
  const reading = new TreeReading({ ...usualLimits, ...limits });
  for await (const chunk of archive) await reading.write(chunk);
  return reading.end();
}

class TreeReading {
  readonly #parser = new Parser({ strict: true, maxMetaEntrySize: 2 ** 20, maxDecompressionRatio: Infinity, brotli: false });
  readonly #limits: TreeLimits;
  readonly #found = new Map<string, TellingFile>();
  #failure: Error | undefined;
  #wake = Promise.withResolvers<void>();
  #bytes = 0;
  #keptBytes = 0;
  #entries = 0;
  #hasEnd = false;
  #isFinished = false;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
    this.#parser.on('entry', (entry: ReadEntry) => this.#take(entry));
    this.#parser.on('ignoredEntry', (entry: ReadEntry) => this.#count(entry));
    this.#parser.on('nullBlock', () => (this.#hasEnd = true));
    this.#parser.on('drain', () => this.#wake.resolve());
    this.#parser.on('finish', () => {
      this.#isFinished = true;
      this.#wake.resolve();
    });
    this.#parser.on('error', (error: Error) => {
      // A tree without files is one, too; the parser takes it for no archive.
      if (this.#hasEnd && this.#entries === 0 && error.message.includes('Unrecognized archive format')) {
        this.#isFinished = true;
        this.#wake.resolve();
      } else this.#fail(`its files are no tar archive: ${error.message}`);
    });
  }

  async write(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
    const { maxTreeBytes } = this.#limits;
    if (this.#bytes > maxTreeBytes) this.#fail(`it holds more than ${maxTreeBytes} bytes`);
    this.#throwFailure();
    this.#wake = Promise.withResolvers();
    if (!this.#parser.write(chunk) && this.#failure === undefined && !this.#isFinished) await this.#wake.promise;
    this.#throwFailure();
  }

  async end(): Promise<readonly TellingFile[]> {
    this.#wake = Promise.withResolvers();
    this.#parser.end();
    if (!this.#isFinished && this.#failure === undefined) await this.#wake.promise;
    this.#throwFailure();
    if (!this.#hasEnd) throw new ContentsUnreadable('the engine handed out only a part of its files');
    return [...this.#found.values()];
  }

  #take(entry: ReadEntry): void {
    this.#count(entry);
    const path = fromRoot(entry.path);
    const kind = kindOf(path);
    const isKept = kind !== undefined && kind !== 'rpm' && fileTypes.has(entry.type);
    if (isKept && this.#hasRoom(entry, path)) {
      const chunks: Buffer[] = [];
      entry.on('data', (chunk: Buffer) => chunks.push(chunk));
      entry.on('end', () => this.#found.set(path, { kind, path, text: Buffer.concat(chunks).toString('utf8') }));
      return;
    }
    if (kind !== undefined && linkTypes.has(entry.type)) {
      // A hard link is the file that was there before it.
      const target = entry.type === 'Link' ? this.#found.get(fromRoot(entry.linkpath ?? '')) : undefined;
      this.#found.set(path, { kind, path, text: target?.kind === kind ? target.text : undefined });
    } else if (kind === 'rpm' && fileTypes.has(entry.type)) this.#found.set(path, { kind, path, text: undefined });
    entry.resume();
  }

  #hasRoom({ size }: ReadEntry, path: string): boolean {
    const { maxFileBytes, maxKeptBytes } = this.#limits;
    this.#keptBytes += size;
    if (size > maxFileBytes) this.#fail(`${shown(path)} has more than ${maxFileBytes} bytes`);
    if (this.#keptBytes > maxKeptBytes) this.#fail(`its package databases have more than ${maxKeptBytes} bytes`);
    return this.#failure === undefined;
  }

  #count({ path }: ReadEntry): void {
    this.#entries += 1;
    const { maxEntries } = this.#limits;
    if (this.#entries > maxEntries) this.#fail(`with ${shown(path)} it holds more than ${maxEntries} files`);
  }

  #fail(message: string): void {
    this.#failure ??= new ContentsUnreadable(message);
    this.#wake.resolve();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function fromRoot(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '');
}

function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
