import { type Socket, connect } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** A function sends chunks of unknown total. */
  readonly body?: Uint8Array | (() => Iterable<Uint8Array>);
  /** Takes the body of a 200 chunk by chunk instead of gathering it; a chunk is only good until it returns. */
  readonly onChunk?: (chunk: Buffer) => void;
}

const readBytes = 512 * 1024;

/**
 * One keep-alive HTTP/1.1 connection that reads into one buffer for good and copies nothing. Node's own client costs more
 * for every byte than the servers do, and on a small machine it would be what is measured.
 */
export class HttpConnection {
  readonly #url: URL;
  #socket: Socket | undefined;
  #reader: AnswerReader | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(url: URL) {
    this.#url = url;
  }

  /** One call at a time. */
  async call(call: Call): Promise<Answer> {
    if (this.#fail !== undefined) throw new Error('a connection takes one call at a time');
    const socket = (this.#socket ??= this.#connect());
    return new Promise<Answer>((resolve, reject) => {
      this.#fail = (error) =>
        reject(new Error(`${call.method} ${this.#url.host}${call.path}: ${error.message}`, { cause: error }));
      this.#reader = new AnswerReader(call, (answer) => {
        this.#fail = undefined;
        if (answer.headers['connection'] === 'close') this.close();
        resolve(answer);
      });
      send(socket, headOf(this.#url, call), call.body).catch(reject);
    });
  }

  close(): void {
    this.#fail = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): Socket {
    const onread = {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (length: number, buffer: Uint8Array) => this.#read(buffer, length),
    };
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true, onread });
    const fail = (error: Error): void => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#fail?.(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
    return socket;
  }

  #read(buffer: Uint8Array, length: number): boolean {
    try {
      this.#reader?.take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
    } catch (error) {
      this.#fail?.(error as Error);
      this.close();
    }
    return true;
  }
}

function headOf(url: URL, { method, path, headers = {}, body }: Call): string {
  const framing =
    body === undefined ? {} : typeof body === 'function' ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length };
  const lines = Object.entries({ host: url.host, ...headers, ...framing }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

async function send(socket: Socket, head: string, body: Call['body']): Promise<void> {
  if (typeof body !== 'function') {
    socket.cork();
    socket.write(head, 'latin1');
    if (body !== undefined) socket.write(body);
    socket.uncork();
    return;
  }
  let before = head;
  for (const slice of body()) {
    socket.cork();
    socket.write(`${before}${slice.length.toString(16)}\r\n`, 'latin1');
    const hasRoom = socket.write(slice);
    socket.uncork();
    before = '\r\n';
    if (!hasRoom) await roomIn(socket);
  }
  socket.write(`${before === head ? head : '\r\n'}0\r\n\r\n`, 'latin1');
}

function roomIn(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
  });
}
