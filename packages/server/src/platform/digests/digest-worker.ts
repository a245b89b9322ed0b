import { type Hash, createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** To the digest thread, which works them off in order. A buffer is the receiver's from then on. */
export type DigestRequest =
  | { readonly kind: 'begin'; readonly id: number; readonly algorithm: string }
  | { readonly kind: 'copy'; readonly id: number; readonly from: number }
  | { readonly kind: 'update'; readonly id: number; readonly buffer: ArrayBuffer; readonly sizeBytes: number }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'drop'; readonly id: number };

/** What the thread says first, once. */
export type Ready = 'ready';

/** From the digest thread, one for each `update` (its buffer, to be filled again) and `end`, in order. */
export type DigestAnswer = { readonly emptied: ArrayBuffer } | { readonly hex: string };

function answer(answered: DigestAnswer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(answered, transfer);
}

const hashes = new Map<number, Hash>();

function hashOf(id: number): Hash {
  const hash = hashes.get(id);
  if (hash === undefined) throw new Error(`there is no digest ${id}`);
  return hash;
}

function work(request: DigestRequest): void {
  const { id } = request;
  if (request.kind === 'begin') {
    hashes.set(id, createHash(request.algorithm));
  } else if (request.kind === 'copy') {
    hashes.set(id, hashOf(request.from).copy());
  } else if (request.kind === 'update') {
    hashOf(id).update(new Uint8Array(request.buffer, 0, request.sizeBytes));
    answer({ emptied: request.buffer }, [request.buffer]);
  } else if (request.kind === 'end') {
    answer({ hex: hashOf(id).digest('hex') });
    hashes.delete(id);
  } else {
    hashes.delete(id);
  }
}

parentPort?.on('message', work);
parentPort?.postMessage('ready' satisfies Ready);
