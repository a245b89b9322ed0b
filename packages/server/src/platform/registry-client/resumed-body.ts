import { Readable } from 'node:stream';
import { OutboundError } from '../outbound/index.ts';
import { RemoteError, fromOutbound } from './remote-error.ts';

export interface BodyFrom {
  readonly body: Readable;
  /** Of its first byte within the content: where it was asked to begin, or 0 from a server that knows no ranges. */
  readonly start: number;
}

/** In a row without a single new byte. */
const maxFruitless = 3;
/** Of one body. */
const maxResumes = 100;

/** The whole content, asked for again from where it broke off. Fails with a RemoteError, or the signal's reason. */
export function resumedBody(sizeBytes: number, open: (offset: number) => Promise<BodyFrom>): Readable {
  return Readable.from(chunksOf(sizeBytes, open), { objectMode: false });
}

async function* chunksOf(sizeBytes: number, open: (offset: number) => Promise<BodyFrom>): AsyncGenerator<Buffer, void> {
  let offset = 0;
  let fruitless = 0;
  for (let resumes = 0; offset < sizeBytes; resumes += 1) {
    const before = offset;
    try {
      const { body, start } = await open(offset);
      let skip = offset - start;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const fresh = skip === 0 ? chunk : chunk.subarray(skip);
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        offset += fresh.length;
        yield fresh;
      }
      if (offset < sizeBytes) throw new OutboundError('broken', `the content has ${offset} bytes, ${sizeBytes} were announced`);
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      fruitless = offset === before ? fruitless + 1 : 0;
      const isPassing = error.kind === 'broken' || error.kind === 'timeout';
      if (!isPassing || fruitless === maxFruitless || resumes === maxResumes) throw giveUp(error);
    }
  }
}

function giveUp(error: OutboundError): RemoteError {
  const { kind, message } = fromOutbound(error);
  return new RemoteError(kind, `a blob could not be read to its end: ${message}`, { cause: error });
}
