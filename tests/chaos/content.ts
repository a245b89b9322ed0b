import { createCipheriv, createHash } from 'node:crypto';

/** Bytes that a number stands for, so that a ledger of thousands of blobs costs no memory. */
export function bytesOf(blob: BlobRecipe): Buffer {
  const key = createHash('sha256').update(`chaos ${blob.seed}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(blob.sizeBytes));
}

export interface BlobRecipe {
  readonly seed: number;
  readonly sizeBytes: number;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** A manifest over blobs: the first is its config. */
export function manifestOf(blobs: readonly { readonly digest: string; readonly recipe: BlobRecipe }[]): Buffer {
  const [config, ...layers] = blobs.map((blob, index) => ({
    mediaType: index === 0 ? 'application/vnd.oci.image.config.v1+json' : 'application/vnd.oci.image.layer.v1.tar',
    digest: blob.digest,
    size: blob.recipe.sizeBytes,
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }));
}

/** A small seeded generator (mulberry32): the same seed gives the same kills and the same pushes. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [from, to). */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from));
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.integer(0, items.length)];
  }
}
