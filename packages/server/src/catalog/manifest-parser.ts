import { Worker } from 'node:worker_threads';
import { OciError } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import type { ParseAnswer, ParseRequest } from './manifest-parser-worker.ts';
import { type ManifestFacts, factsOf } from './model.ts';

/** Up to here even the worst document takes few milliseconds, and every usual one is smaller. */
const inlineBytes = 64 * 1024;

/** Memory of the thread: three times what the worst 4 MiB can take. It must not be reached, only bounded. */
const defaultHeapMb = 512;

/** A thread that nobody needs for so long is ended. */
const idleMs = 30_000;

interface Waiting {
  readonly resolve: (facts: ManifestFacts) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Parses manifests. A large one can hold a million values, which takes half a second: that happens in a thread of its own,
 * so that no other request waits for it (attack 45) and no memory of this one's is at stake.
 */
export class ManifestParser {
  readonly #waiting = new Map<number, Waiting>();
  readonly #maxHeapMb: number;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(maxHeapMb = defaultHeapMb) {
    this.#maxHeapMb = maxHeapMb;
  }

  /** @throws OciError MANIFEST_INVALID */
  async parse(bytes: Uint8Array, contentType: string | undefined): Promise<ManifestFacts> {
    if (bytes.length <= inlineBytes) return factsOf(bytes, contentType);
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#lastId += 1;
    const request: ParseRequest = { id: this.#lastId, bytes, contentType };
    const { promise, resolve, reject } = Promise.withResolvers<ManifestFacts>();
    this.#waiting.set(request.id, { resolve, reject });
    this.#worker.postMessage(request);
    return promise;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    for (const id of this.#waiting.keys())
      this.#take(id)?.reject(new RegistryError('UNAVAILABLE', { message: 'the registry is stopping' }));
  }

  #start(): Worker {
    const isSource = import.meta.url.endsWith('.ts');
    const worker = new Worker(
      new URL(isSource ? './manifest-parser-worker.ts' : './manifest-parser-worker.js', import.meta.url),
      {
        name: 'manifest-parser',
        resourceLimits: { maxOldGenerationSizeMb: this.#maxHeapMb },
        execArgv: isSource ? ['--conditions=source'] : [],
      },
    );
    worker.on('message', (answer: ParseAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#fail(worker, error));
    worker.unref();
    return worker;
  }

  #settle(answer: ParseAnswer): void {
    const waiting = this.#take(answer.id);
    if ('facts' in answer) waiting?.resolve(answer.facts);
    else if ('invalid' in answer)
      waiting?.reject(new OciError(answer.invalid.code, answer.invalid.message, answer.invalid.detail));
    else waiting?.reject(answer.bug);
    if (this.#waiting.size > 0) return;
    this.#worker?.unref();
    this.#idle = setTimeout(() => void this.close(), idleMs).unref();
  }

  /** A thread that ran out of memory died of the document it was at, the oldest. The others may be tried again. */
  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const [oldest] = this.#waiting.keys();
    if (isMemory && oldest !== undefined)
      this.#take(oldest)?.reject(new OciError('MANIFEST_INVALID', 'the manifest holds too many values to be read'));
    const unavailable = new RegistryError('UNAVAILABLE', {
      message: 'the manifest could not be read: try again',
      headers: { 'Retry-After': '1' },
      cause: error,
    });
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(unavailable);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
