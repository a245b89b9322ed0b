import type { CipherGCM } from 'node:crypto';
import { releaseMemory } from '../memory/index.ts';
import { PartCipher } from './part-cipher.ts';
import { type SegmentGeometry, partGeometry, plainCapacity } from './segment-geometry.ts';
import { SmallChunks } from './small-chunks.ts';

export interface PartSealerOptions {
  readonly material: Uint8Array;
  readonly associatedData: string;
  /** The exact plaintext length, when known: then bytes are sealed as they arrive. */
  readonly expectedBytes?: number;
  readonly geometry?: SegmentGeometry;
}

interface RunningSegment {
  readonly cipher: CipherGCM;
  readonly sealed: Uint8Array[];
  readonly isLast: boolean;
}

/**
 * Seals a stream chunk by chunk without copying it. `take` and `end` return finished ciphertext, whole segments at a time.
 *
 * A segment's nonce says whether it is the last, so sealing it can begin only when that is known. With an expected
 * length it is known at the segment's first byte and each chunk goes straight into the cipher. Without one, references
 * to the chunks of one segment are held until a later byte, or the end, decides.
 *
 * When a stream turns out shorter or longer than expected, the open segment is sealed again under its other nonce, and
 * what was sealed under the wrong one never leaves this object. So no two ciphertexts of one nonce can ever be compared
 * (attack 38). A new attempt to write a part is a new sealer: new salt, new key.
 */
export class PartSealer {
  readonly #cipher: PartCipher;
  readonly #geometry: SegmentGeometry;
  readonly #expectedBytes: number | undefined;
  readonly #small = new SmallChunks();
  /** Plaintext of the open segment: all of it while undecided; kept beside the cipher in case the stream ends early. */
  #held: Uint8Array[] = [];
  /** Chunks whose last byte lies in the open segment: their memory ends with it. */
  #ending: Uint8Array[] = [];
  /** Plaintext bytes of the open segment, gathered small chunks included. */
  #segmentBytes = 0;
  #segment = 0;
  #takenBytes = 0;
  #running: RunningSegment | undefined;
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

  /**
   * Takes the next chunk for good: its memory is freed once it is sealed. Returns ciphertext that is ready to be written.
   */
  take(chunk: Uint8Array): Uint8Array[] {
    const ready: Uint8Array[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      const capacity = plainCapacity(this.#geometry, this.#segment);
      if (this.#segmentBytes === capacity) {
        this.#finishSegment(ready, false);
        continue;
      }
      const room = capacity - this.#segmentBytes;
      const piece = rest.length <= room ? rest : rest.subarray(0, room);
      this.#add(piece);
      rest = rest.subarray(piece.length);
    }
    this.#ending.push(chunk);
    return ready;
  }

  /** Seals what is left as the last segment. Call once. */
  end(): Uint8Array[] {
    const ready: Uint8Array[] = [];
    this.#finishSegment(ready, true);
    return ready;
  }

  #add(piece: Uint8Array): void {
    this.#segmentBytes += piece.length;
    this.#takenBytes += piece.length;
    const gathered = this.#small.take(piece);
    for (const each of gathered) this.#seal(each);
  }

  #seal(piece: Uint8Array): void {
    if (this.#held.length === 0 && this.#expectedBytes !== undefined)
      this.#running = this.#begin(this.#isExpectedLast(this.#expectedBytes));
    this.#running?.sealed.push(this.#running.cipher.update(piece));
    this.#held.push(piece);
  }

  #isExpectedLast(expectedBytes: number): boolean {
    return this.#takenBytes - this.#segmentBytes + plainCapacity(this.#geometry, this.#segment) >= expectedBytes;
  }

  #begin(isLast: boolean): RunningSegment {
    return { cipher: this.#cipher.seal(this.#segment, isLast), sealed: [], isLast };
  }

  #finishSegment(ready: Uint8Array[], isLast: boolean): void {
    for (const each of this.#small.flush()) this.#seal(each);
    if (this.#pendingHeader !== undefined) {
      ready.push(this.#pendingHeader);
      this.#pendingHeader = undefined;
    }
    const segment = this.#running?.isLast === isLast ? this.#running : this.#sealHeld(isLast);
    for (const sealed of segment.sealed) ready.push(sealed);
    segment.cipher.final();
    ready.push(segment.cipher.getAuthTag());
    this.#running = undefined;
    this.#held = [];
    for (const chunk of this.#ending) releaseMemory(chunk);
    this.#ending = [];
    this.#segmentBytes = 0;
    this.#segment += 1;
  }

  #sealHeld(isLast: boolean): RunningSegment {
    const segment = this.#begin(isLast);
    for (const piece of this.#held) segment.sealed.push(segment.cipher.update(piece));
    return segment;
  }
}
