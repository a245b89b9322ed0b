import type { IncomingMessage } from 'node:http';
import type { PeerBlob } from './model.ts';
import { PeerBody } from './peer-body.ts';
import { damaged, failureOf } from './peer-failures.ts';
import { type AnswerSource, readError } from './read-answer.ts';

export interface WantedRange {
  readonly start: number;
  /** Exclusive; undefined: to the end. */
  readonly end: number | undefined;
  /** A `Range` was sent. */
  readonly isRange: boolean;
}

const contentRange = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/;

/** The bytes of an answer that promises exactly what was asked for. @throws PeerError */
export async function openBlob(source: AnswerSource, response: IncomingMessage, wanted: WantedRange): Promise<PeerBlob> {
  if (response.statusCode !== (wanted.isRange ? 206 : 200)) {
    if ((response.statusCode ?? 0) >= 300) throw failureOf(source.region, await readError(source, response));
    response.destroy();
    throw damaged(source.region, `the status ${response.statusCode} to ${wanted.isRange ? 'a range' : 'a whole blob'}`);
  }
  const lengthBytes = Number(response.headers['content-length'] ?? Number.NaN);
  const sizeBytes = wanted.isRange ? sizeOfRange(response.headers['content-range'], wanted, lengthBytes) : lengthBytes;
  if (sizeBytes === undefined || !Number.isSafeInteger(sizeBytes) || response.headers['content-encoding'] !== undefined) {
    response.destroy();
    throw damaged(source.region, 'other bytes of a blob than were asked for');
  }
  return { sizeBytes, body: new PeerBody({ ...source, response, lengthBytes, maxBytes: lengthBytes }) };
}

/** Of the whole blob; undefined: it is not the range that was asked for. */
function sizeOfRange(header: string | undefined, { start, end }: WantedRange, lengthBytes: number): number | undefined {
  const match = contentRange.exec(header ?? '');
  if (match === null) return undefined;
  const [first, last, size] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const wantedEnd = end === undefined ? size : Math.min(end, size);
  return first === start && last + 1 === wantedEnd && lengthBytes === wantedEnd - start ? size : undefined;
}
