import type { CipherGCM } from 'node:crypto';
import { PartCipher } from './part-cipher.ts';
import { type SegmentGeometry, partGeometry, plainCapacity } from './segment-geometry.ts';

export interface PartSealerOptions {
  readonly material: Uint8Array;
  readonly associatedData: string;
  /** The exact plaintext length, when known: then bytes are sealed as they arrive. */
  readonly expectedBytes?: number;
  readonly geometry?: SegmentGeometry;
}

/**
 * Seals a stream chunk by chunk without copying it. `take` and `end` return finished ciphertext, whole segments at a time.
 *
 * A segment's nonce says whether it is the last, so sealing it can begin only when that is known. With an expected
 * length it is known at the segment's first byte and each chunk goes straight into the cipher. Without one, references
 * to the chunks of one segment are held until a later byte, or the end, decides.
 */
export class PartSealer {
  readonly #cipher: PartCipher;
  readonly #geometry: SegmentGeometry;
  readonly #expectedBytes: number | undefined;
  /** Plaintext of the open segment: all of it while undecided; kept beside the cipher in case the stream ends early. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #segment = 0;
  #takenBytes = 0;
  #running: { readonly cipher: CipherGCM; readonly sealed: Uint8Array[]; readonly isLast: boolean } | undefined;
  #pendingHeader: Buffer | undefined;

  constructor(options: PartSealerOptions) {
    this.#cipher = PartCipher.create(options.material, options.associatedData);
    this.#geometry = options.geometry ?? partGeometry;
    this.#expectedBytes = options.expectedBytes;
    this.#pendingHeader = this.#cipher.header;
  }

  /** Plaintext bytes taken so far. */
  get sizeBytes(): number {
    return this.#takenBytes;
  }

  /** Takes the next chunk, which must not change afterwards. Returns ciphertext that is ready to be written. */
  take(chunk: Uint8Array): Uint8Array[] {
    const ready: Uint8Array[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#heldBytes === plainCapacity(this.#geometry, this.#segment)) this.#finishSegment(ready, false);
      const room = plainCapacity(this.#geometry, this.#segment) - this.#heldBytes;
      const piece = rest.length <= room ? rest : rest.subarray(0, room);
      this.#add(piece);
      rest = rest.subarray(piece.length);
    }
    return ready;
  }

  /** Seals what is left as the last segment. Call once. */
  end(): Uint8Array[] {
    const ready: Uint8Array[] = [];
    this.#finishSegment(ready, true);
    return ready;
  }

  #add(piece: Uint8Array): void {
    const isLast = this.#isLastSegment();
    if (this.#heldBytes === 0 && isLast !== undefined) {
      this.#running = { cipher: this.#cipher.seal(this.#segment, isLast), sealed: [], isLast };
    }
    this.#running?.sealed.push(this.#running.cipher.update(piece));
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    this.#takenBytes += piece.length;
  }

  /** Whether the open segment will be the last, if that is known. */
  #isLastSegment(): boolean | undefined {
    if (this.#expectedBytes === undefined) return undefined;
    const before = this.#takenBytes - this.#heldBytes;
    return before + plainCapacity(this.#geometry, this.#segment) >= this.#expectedBytes;
  }

  #finishSegment(ready: Uint8Array[], isLast: boolean): void {
    if (this.#pendingHeader !== undefined) {
      ready.push(this.#pendingHeader);
      this.#pendingHeader = undefined;
    }
    // The stream was shorter or longer than expected: the segment is sealed again under its other nonce, and what was
    // sealed under the wrong one never leaves this object. No nonce ever covers two plaintexts.
    const running = this.#running?.isLast === isLast ? this.#running : this.#sealHeld(isLast);
    for (const sealed of running.sealed) ready.push(sealed);
    running.cipher.final();
    ready.push(running.cipher.getAuthTag());
    this.#running = undefined;
    this.#held = [];
    this.#heldBytes = 0;
    this.#segment += 1;
  }

  #sealHeld(isLast: boolean): { readonly cipher: CipherGCM; readonly sealed: Uint8Array[] } {
    const cipher = this.#cipher.seal(this.#segment, isLast);
    return { cipher, sealed: this.#held.map((piece) => cipher.update(piece)) };
  }
}
