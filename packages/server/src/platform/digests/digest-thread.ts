import { Worker } from 'node:worker_threads';
import { RegistryError } from '../../errors/index.ts';
import type { DigestAnswer, DigestRequest, Ready } from './digest-worker.ts';

/** Bytes that go to the thread at once, at the most: each time it may have to be woken, which takes a tenth of a millisecond. */
export const mostBufferBytes = 512 * 1024;

/** Buffers that wait to be filled again. */
const maxSpareBuffers = 8;

interface Waiting {
  readonly resolve: (answer: DigestAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread and what it was asked, until it ends. */
export class DigestThread {
  readonly #worker: Worker;
  /** Answers come in the order of the questions. */
  readonly #waiting: Waiting[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #lastId = 0;
  #isReady = false;
  #failure: Error | undefined;

  constructor() {
    const isSource = import.meta.url.endsWith('.ts');
    this.#worker = new Worker(new URL(isSource ? './digest-worker.ts' : './digest-worker.js', import.meta.url), {
      name: 'digests',
      execArgv: isSource ? ['--conditions=source'] : [],
    });
    this.#worker.on('message', (answer: DigestAnswer | Ready) => {
      if (answer === 'ready') this.#isReady = true;
      else this.#take()?.resolve(answer);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.unref();
  }

  /** Its start takes some tenths of a second on a busy machine. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get hasEnded(): boolean {
    return this.#failure !== undefined;
  }

  newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  newBuffer(sizeBytes: number): ArrayBuffer {
    const spare = sizeBytes === mostBufferBytes ? this.#spare.pop() : undefined;
    // Not `new ArrayBuffer`, which would fill it with zeros first.
    return spare ?? Buffer.allocUnsafeSlow(sizeBytes).buffer;
  }

  tell(request: DigestRequest): void {
    this.#worker.postMessage(request);
  }

  /** @throws RegistryError UNAVAILABLE */
  async hash(id: number, buffer: ArrayBuffer, sizeBytes: number): Promise<void> {
    const answer = await this.#ask({ kind: 'update', id, buffer, sizeBytes }, [buffer]);
    if (!('emptied' in answer) || answer.emptied.byteLength < mostBufferBytes) return;
    if (this.#spare.length < maxSpareBuffers) this.#spare.push(answer.emptied);
  }

  /** Hexadecimal; the digest is forgotten. @throws RegistryError UNAVAILABLE */
  async end(id: number): Promise<string> {
    const answer = await this.#ask({ kind: 'end', id });
    if ('hex' in answer) return answer.hex;
    throw new Error('the thread answered another question');
  }

  async close(): Promise<void> {
    this.#fail(new Error('the registry is stopping'));
    await this.#worker.terminate();
  }

  #ask(request: DigestRequest, transfer: ArrayBuffer[] = []): Promise<DigestAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<DigestAnswer>();
    // Only while somebody waits for it does the thread keep the process.
    if (this.#waiting.length === 0) this.#worker.ref();
    this.#waiting.push({ resolve, reject });
    this.#worker.postMessage(request, transfer);
    return promise;
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    return waiting;
  }

  #fail(cause: unknown): void {
    this.#failure ??= new RegistryError('UNAVAILABLE', {
      message: 'the digest of what was sent is lost: send it again',
      headers: { 'Retry-After': '1' },
      cause,
    });
    for (let waiting = this.#take(); waiting !== undefined; waiting = this.#take()) waiting.reject(this.#failure);
  }
}
