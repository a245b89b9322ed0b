import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SourceError } from './source-error.ts';

/** Tar's own blocks: enough to know every format. */
const sniffedBytes = 512;

type Bytes = AsyncIterable<Buffer>;
type Open = (packed: Bytes, signal: AbortSignal) => Bytes;

interface Format {
  readonly name: string;
  readonly magic: string;
  readonly open: Open | undefined;
}

const formats: readonly Format[] = [
  { name: 'gzip', magic: '1f8b', open: (packed, signal) => through(packed, createGunzip(), signal) },
  { name: 'zstd', magic: '28b52ffd', open: (packed, signal) => through(packed, createZstdDecompress(), signal) },
  { name: 'bzip2', magic: '425a68', open: (packed, signal) => throughProgram(packed, ['bzip2', '-dc'], signal) },
  {
    name: 'xz',
    magic: 'fd377a585a00',
    open: (packed, signal) => throughProgram(packed, ['xz', '-dc', '--memlimit-decompress=256MiB'], signal),
  },
  { name: 'zip', magic: '504b', open: undefined },
  { name: 'compress', magic: '1f9d', open: undefined },
  { name: '7-Zip', magic: '377abcaf271c', open: undefined },
  { name: 'lzip', magic: '4c5a4950', open: undefined },
];

/**
 * The bytes of a tar archive, whichever way it is compressed, and as many of them as there may be. What is no tar archive is refused
 * before anything is unpacked. @throws SourceError
 */
export async function* decompress(
  packed: Bytes,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const { head, all } = await peek(packed);
  if (head.length === 0) throw new SourceError('the archive is empty');
  const format = formats.find(({ magic }) => head.toString('hex').startsWith(magic));
  if (format !== undefined && format.open === undefined)
    throw new SourceError(
      `the archive is packed with ${format.name}, which is not understood: pack it as tar, plain or with gzip, zstd, bzip2 or xz`,
    );
  const name = format?.name ?? 'tar';
  let bytes = 0;
  const opened = await peek(format?.open === undefined ? all : named(format.open(all, signal), name, signal));
  if (!isTar(opened.head))
    throw new SourceError('the archive is no tar archive: pack it as tar, plain or with gzip, zstd, bzip2 or xz');
  for await (const chunk of opened.all) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new SourceError(`the archive is larger than the ${maxBytes} bytes that may be unpacked`);
    if (chunk.length > 0) yield chunk;
  }
}

/** The first bytes, and a stream that begins with them. */
async function peek(stream: Bytes): Promise<{ readonly head: Buffer; readonly all: Bytes }> {
  const iterator = stream[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let isDone = false;
  while (head.length < sniffedBytes && !isDone) {
    const { value, done } = await iterator.next();
    isDone = done === true;
    if (value !== undefined && !isDone) head = Buffer.concat([head, value as Buffer]);
  }
  return {
    head,
    all: (async function* () {
      try {
        yield head;
        for (
          let next = isDone ? undefined : await iterator.next();
          next !== undefined && next.done !== true;
          next = await iterator.next()
        )
          yield next.value;
      } finally {
        await iterator.return?.();
      }
    })(),
  };
}

/** A first block whose checksum is right, or the zeros of an empty archive. */
function isTar(block: Buffer): boolean {
  if (block.length < sniffedBytes) return false;
  const written = Number.parseInt(
    block
      .toString('latin1', 148, 156)
      .replace(/[\0 ]+$/, '')
      .trim(),
    8,
  );
  const sum = block.subarray(0, sniffedBytes).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum === written || block.subarray(0, sniffedBytes).every((byte) => byte === 0);
}

async function* named(stream: Bytes, name: string, signal: AbortSignal): Bytes & AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SourceError || (error as { code?: string }).code?.startsWith('Z_') !== true) {
      const code = (error as { code?: string }).code ?? '';
      if (!code.startsWith('ZSTD') && !code.startsWith('ERR_ZLIB')) throw error;
    }
    throw new SourceError(`the archive's ${name} is damaged, or cut off: ${(error as Error).message}`, { cause: error });
  }
}

async function* through(packed: Bytes, transform: NodeJS.ReadWriteStream, signal: AbortSignal): AsyncGenerator<Buffer> {
  const feeding = pipeline(Readable.from(packed), transform, { signal, end: true });
  // Its failure is seen below, too: that of the source is the one to tell of.
  const fed = feeding.catch((error: unknown) => error);
  try {
    yield* transform as unknown as Bytes;
  } catch (error) {
    throw (await fed) ?? error;
  }
  const failure = await fed;
  if (failure !== undefined) throw failure;
}

/** Formats that Node does not read. The program gets no argument of ours but its options. */
async function* throughProgram(
  packed: Bytes,
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '' },
    windowsHide: true,
  });
  const end = Promise.withResolvers<number | NodeJS.ErrnoException | null>();
  child.once('error', end.resolve);
  child.once('close', end.resolve);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(0, 500)));
  const feeding = pipeline(Readable.from(packed), child.stdin, { signal }).catch((error: unknown) => error);
  try {
    yield* child.stdout as Bytes;
    const code = await end.promise;
    if (code instanceof Error)
      throw new SourceError(
        `the archive is packed with ${program}, which is not installed where the agent runs: install it, or pack with gzip or zstd`,
      );
    const failure = await feeding;
    signal.throwIfAborted();
    if (failure instanceof SourceError) throw failure;
    if (code !== 0) throw new SourceError(`the archive's ${program} is damaged, or cut off: ${said.trim()}`);
    if (failure !== undefined) throw failure;
  } finally {
    child.kill('SIGKILL');
  }
}
