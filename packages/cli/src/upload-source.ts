import { pipeline } from 'node:stream/promises';
import { Readable, Transform } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import * as runs from '@berth/api/runs';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';
import type { ContextEntry } from './packing/context-entry.ts';
import { tarStream } from './packing/tar-stream.ts';
import { readAnswer } from './read-answer.ts';
import { pathOf, sendRequest } from './send-request.ts';

/** Archives are looked through and sealed as they come; only a server that hangs says nothing for so long. */
const silenceMs = 300_000;

export interface UploadedSource {
  readonly id: string;
  readonly sizeBytes: number;
}

/** Packs entries and sends them on meanwhile: neither the archive nor a file is ever whole in memory. @throws CommandError */
export async function uploadSource(
  connection: Connection,
  entries: AsyncIterable<ContextEntry>,
  onProgress: (sentBytes: number) => void,
): Promise<UploadedSource> {
  const operation = runs.uploadSource;
  const { outgoing, answer } = sendRequest(connection, {
    method: operation.method,
    path: pathOf(operation, {}),
    headers: { 'Content-Type': 'application/gzip' },
    silenceMs,
  });
  let sentBytes = 0;
  const count = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      sentBytes += chunk.length;
      onProgress(sentBytes);
      done(null, chunk);
    },
  });
  // Text halves at any level; the slower ones only gain where networks are slower than processors.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const sent = pipeline(Readable.from(tarStream(entries), { objectMode: false }), gzip, count, outgoing).then(
    () => undefined,
    (error: unknown) => error,
  );
  // A server that refuses answers before it has everything; what is wrong with the folder matters more than what it broke.
  const answered = answer.then(
    (incoming) => ({ incoming }),
    (error: unknown) => ({ error }),
  );
  const first = await Promise.race([answered, sent.then((error) => (error instanceof CommandError ? { error } : answered))]);
  if ('error' in first) {
    const broken = await sent;
    throw broken instanceof CommandError ? broken : first.error;
  }
  try {
    return (await readAnswer(connection, operation, first.incoming)) as UploadedSource;
  } finally {
    outgoing.destroy();
  }
}
