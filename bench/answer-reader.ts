import type { Answer, Call } from './http-connection.ts';

const headEnd = Buffer.from('\r\n\r\n');

/** Reads one HTTP/1.1 answer from the buffers that a connection brings: by length, in chunks, or without a body. */
export class AnswerReader {
  readonly #call: Call;
  readonly #done: (answer: Answer) => void;
  readonly #gathered: Buffer[] = [];
  #head = Buffer.alloc(0);
  #status = 0;
  #headers: Record<string, string> = {};
  #state: 'head' | 'body' | 'chunk-size' | 'done' = 'head';
  /** Bytes of the body, or of the chunk and its line end, that are still to come. */
  #left = 0;
  #line = '';

  constructor(call: Call, done: (answer: Answer) => void) {
    this.#call = call;
    this.#done = done;
  }

  get #isChunked(): boolean {
    return this.#headers['transfer-encoding'] === 'chunked';
  }

  take(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#state === 'done') throw new Error(`the server sent more than an answer: ${rest.subarray(0, 100).toString()}`);
      if (this.#state === 'head') rest = this.#takeHead(rest);
      else if (this.#state === 'chunk-size') rest = this.#takeChunkSize(rest);
      else rest = this.#takeBody(rest);
    }
  }

  #takeHead(bytes: Buffer): Buffer {
    const before = this.#head.length;
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf(headEnd);
    if (end === -1) return bytes.subarray(bytes.length);
    const [first = '', ...lines] = this.#head.toString('latin1', 0, end).split('\r\n');
    this.#status = Number(first.split(' ')[1]);
    for (const line of lines) {
      const colon = line.indexOf(':');
      this.#headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const isEmpty = this.#call.method === 'HEAD' || this.#status === 204 || this.#status === 304;
    this.#left = isEmpty ? 0 : Number(this.#headers['content-length'] ?? 0);
    this.#state = this.#isChunked && !isEmpty ? 'chunk-size' : 'body';
    if (this.#state === 'body' && this.#left === 0) this.#finish();
    return bytes.subarray(end + headEnd.length - before);
  }

  #takeBody(bytes: Buffer): Buffer {
    const piece = bytes.subarray(0, this.#left);
    this.#left -= piece.length;
    if (this.#status === 200 && this.#call.onChunk !== undefined) this.#call.onChunk(piece);
    else this.#gathered.push(Buffer.from(piece));
    if (this.#left === 0) {
      if (this.#isChunked) this.#state = 'chunk-size';
      else this.#finish();
    }
    return bytes.subarray(piece.length);
  }

  /** A line `<hexadecimal>CRLF`, after the line end of the chunk before; the size 0 is followed by an empty line. */
  #takeChunkSize(bytes: Buffer): Buffer {
    const end = bytes.indexOf(0x0a);
    this.#line += bytes.toString('latin1', 0, end === -1 ? bytes.length : end + 1);
    if (end === -1) return bytes.subarray(bytes.length);
    const text = this.#line.trim();
    if (text !== '' && text !== '0') {
      this.#left = Number.parseInt(text, 16);
      this.#line = '';
      this.#state = 'body';
    } else if (text === '0' && this.#line.endsWith('\r\n\r\n')) this.#finish();
    return bytes.subarray(end + 1);
  }

  #finish(): void {
    this.#state = 'done';
    this.#done({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#gathered) });
  }
}
