import type { DataKey } from '../keys/data-key.ts';
import type { PartName } from './blob-store.ts';

/**
 * Parts as plaintext streams over a `BlobStore` that only ever sees ciphertext: Tink streaming AEAD
 * `AES256-GCM-HKDF`, 1 MiB ciphertext segments, the part's name as associated data.
 */
export interface SealedStore {
  /** `expectedBytes`: the exact plaintext length when known beforehand (lets bytes be sealed as they arrive). */
  create(name: PartName, key: DataKey, options?: { expectedBytes?: number; signal?: AbortSignal }): Promise<SealedWriter>;

  /**
   * Yields the plaintext of `[start, end)` in order, as arrays of buffers (one array per opened segment, bounded
   * read-ahead), which are the caller's from then on. Every byte yielded has been authenticated. Throws `PartDamagedError` on any mismatch.
   */
  read(
    name: PartName,
    key: DataKey,
    range: { start: number; end: number; sizeBytes: number },
    signal?: AbortSignal,
  ): AsyncGenerator<Buffer[], void, undefined>;

  /** Opens every segment of a part and checks that it holds `sizeBytes` of plaintext. Throws `PartDamagedError`. */
  verify(name: PartName, key: DataKey, sizeBytes: number, signal?: AbortSignal): Promise<void>;

  deleteMany(names: readonly PartName[]): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface SealedWriter {
  /** Plaintext bytes taken so far. */
  readonly sizeBytes: number;
  /** Takes a chunk; returns a promise to await only when the writer wants the producer to pause. The chunk is the writer's from then on. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Seals what is pending as the last segment and makes the part durable. Works after fewer bytes than expected, too. */
  commit(): Promise<void>;
  cancel(): Promise<void>;
}

/** The stored bytes do not open: damaged, truncated, swapped, or sealed with another key. */
export class PartDamagedError extends Error {
  override readonly name = 'PartDamagedError';
}
