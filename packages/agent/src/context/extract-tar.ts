import { constants, closeSync, fchmodSync, futimesSync, openSync, writeSync } from 'node:fs';
import { Parser, type ReadEntry } from 'tar';
import { SafeTree } from './safe-tree.ts';
import { SourceError } from './source-error.ts';

const defaultMaxEntries = 500_000;
/** What an entry takes on disk beside its bytes, about: many empty files are no small thing. */
const entryBytes = 1024;
const maxHeaderBytes = 1024 * 1024;

export interface ExtractOptions {
  /** Of all files together. */
  readonly maxBytes: number;
  readonly maxEntries?: number;
}

/**
 * Unpacks a tar archive into a folder of which nobody else writes to (attack 32). Nothing is ever written outside of it, nor through
 * a link. Symbolic links are kept as they are, wherever they lead, as Docker and git keep them: whoever reads the folder later
 * must not follow them out of it.
 * @throws SourceError
 */
export async function extractTar(archive: AsyncIterable<Buffer>, folder: string, options: ExtractOptions): Promise<void> {
  const extraction = new Extraction(folder, options);
  for await (const chunk of archive) await extraction.write(chunk);
  await extraction.end();
}

class Extraction {
  readonly #parser = new Parser({
    strict: true,
    maxMetaEntrySize: maxHeaderBytes,
    maxDecompressionRatio: Infinity,
    brotli: false,
  });
  readonly #tree: SafeTree;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  #work: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #wake = Promise.withResolvers<void>();
  #bytes = 0;
  #entries = 0;
  #hasEnd = false;
  #isPastEnd = false;
  #isFinished = false;

  constructor(folder: string, { maxBytes, maxEntries = defaultMaxEntries }: ExtractOptions) {
    this.#tree = new SafeTree(folder);
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
    const parser = this.#parser;
    // The next entry comes when this one has been read; what is still to do for it comes first all the same.
    parser.on('entry', (entry: ReadEntry) => {
      this.#work = this.#work.then(() => this.#take(entry)).catch((error: Error) => this.#fail(error));
    });
    parser.on('ignoredEntry', (entry: ReadEntry) => this.#fail(unsupported(entry)));
    parser.on('meta', (text: string) => {
      if (text.includes('GNU.sparse.')) this.#fail(new SourceError(`the archive holds sparse files: ${sparseAdvice}`));
    });
    parser.on('nullBlock', () => (this.#hasEnd = true));
    parser.on('eof', () => (this.#isPastEnd = true));
    parser.on('drain', () => this.#wake.resolve());
    parser.on('finish', () => this.#finish());
    parser.on('error', (error: Error) => {
      // A source without files is one, too; the parser takes it for no archive.
      if (this.#hasEnd && this.#entries === 0 && error.message.includes('Unrecognized archive format')) this.#finish();
      else this.#fail(new SourceError(`the archive is damaged, or no tar archive: ${error.message}`, { cause: error }));
    });
  }

  async write(chunk: Buffer): Promise<void> {
    // What follows the end is padding; the parser would keep it.
    if (this.#isPastEnd) return;
    this.#wake = Promise.withResolvers();
    const goesOn = this.#parser.write(chunk);
    if (!goesOn && this.#failure === undefined) await this.#wake.promise;
    this.#throwFailure();
  }

  async end(): Promise<void> {
    this.#wake = Promise.withResolvers();
    this.#parser.end();
    while (!this.#isFinished && this.#failure === undefined) {
      await this.#wake.promise;
      if (!this.#isFinished) this.#wake = Promise.withResolvers();
    }
    await this.#work;
    this.#throwFailure();
    if (!this.#hasEnd) throw new SourceError('the archive ends before its end mark: it was cut off. Pack it again');
  }

  #finish(): void {
    this.#isFinished = true;
    this.#wake.resolve();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake.resolve();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #take(entry: ReadEntry): Promise<void> {
    this.#throwFailure();
    this.#count(entry);
    try {
      await this.#make(entry);
    } catch (error) {
      throw error instanceof SourceError ? error : unwritable(entry.path, error as NodeJS.ErrnoException);
    }
    entry.resume();
  }

  #count({ size, path }: ReadEntry): void {
    this.#entries += 1;
    this.#bytes += size + entryBytes;
    if (this.#entries > this.#maxEntries)
      throw new SourceError(
        `the archive has more than ${this.#maxEntries} entries: leave out what is not needed, for example with .dockerignore`,
      );
    if (this.#bytes > this.#maxBytes)
      throw new SourceError(
        `the archive is too large: with ${shown(path)} it takes more than the ${this.#maxBytes} bytes that a workspace may have. Leave out what is not needed, for example with .dockerignore, or start the agent with a larger --disk`,
      );
  }

  async #make(entry: ReadEntry): Promise<void> {
    const { type, path } = entry;
    const place = this.#tree.placeOf(path);
    if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') await this.#makeFile(entry, place);
    else if (type === 'Directory' || type === 'GNUDumpDir') this.#tree.makeFolder(place, (entry.mode ?? 0o755) & 0o777);
    else if (type === 'SymbolicLink') this.#tree.makeSymlink(place, entry.linkpath ?? '');
    else if (type === 'Link') this.#tree.makeHardLink(place, this.#tree.placeOf(entry.linkpath ?? ''));
    else throw unsupported(entry);
  }

  async #makeFile(entry: ReadEntry, place: readonly string[]): Promise<void> {
    const path = this.#tree.clear(place);
    // Exclusive: whatever was there has been removed, links above all.
    const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      for await (const chunk of entry as AsyncIterable<Buffer>)
        for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
      // Not for another user's rights: no set-user-id.
      fchmodSync(file, (entry.mode ?? 0o644) & 0o777);
      const time = entry.mtime === undefined || Number.isNaN(entry.mtime.getTime()) ? undefined : entry.mtime.getTime() / 1000;
      if (time !== undefined && Math.abs(time) < 2 ** 40) futimesSync(file, time, time);
    } finally {
      closeSync(file);
    }
  }
}

const sparseAdvice = 'pack them whole (without --sparse)';

function unsupported({ type, path }: ReadEntry): SourceError {
  const what =
    type === 'SparseFile'
      ? `a sparse file, which is not unpacked: ${sparseAdvice}`
      : type === 'CharacterDevice' || type === 'BlockDevice' || type === 'FIFO'
        ? 'a device or a pipe, which a source cannot hold: leave it out'
        : /ExtendedHeader$|^NextFile|LongPath$/.test(type)
          ? `a header of more than ${maxHeaderBytes} bytes`
          : `of a type that is not unpacked (${type}): leave it out`;
  return new SourceError(`the archive's entry ${shown(path)} is ${what}`);
}

function unwritable(path: string, { code, message }: NodeJS.ErrnoException): SourceError {
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new SourceError('the disk of the agent is full: free some of it, or use another agent');
  if (code === 'ENAMETOOLONG')
    return new SourceError(`the archive's entry ${shown(path)} has a name that is too long for the agent's disk`);
  return new SourceError(`the archive's entry ${shown(path)} cannot be unpacked: ${message}`);
}

function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
