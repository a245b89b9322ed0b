import { type Hash, createHash } from 'node:crypto';

/** The digest of bytes that are still coming. */
export interface RunningDigest {
  /** What it was given earlier is still known: false when its thread ended meanwhile. */
  readonly isUsable: boolean;
  /** Takes the next bytes, which are the caller's again at once. A promise asks to pause until it resolves. */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Nothing comes for a while: no buffer is kept. */
  rest(): void;
  /** One that goes on from here on its own. */
  copy(): RunningDigest;
  /** Hexadecimal. Nothing can follow. */
  end(): Promise<string>;
}

/** Computes where it is called. */
export class InlineDigest implements RunningDigest {
  readonly isUsable = true;
  readonly #hash: Hash;

  constructor(hash: Hash | string) {
    this.#hash = typeof hash === 'string' ? createHash(hash) : hash;
  }

  update(bytes: Uint8Array): undefined {
    this.#hash.update(bytes);
  }

  rest(): void {
    // It keeps nothing.
  }

  copy(): RunningDigest {
    return new InlineDigest(this.#hash.copy());
  }

  async end(): Promise<string> {
    return this.#hash.digest('hex');
  }
}
