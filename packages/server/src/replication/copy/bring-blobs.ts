import type { ClaimedManifest, MissingContent } from '../merge/model.ts';
import { type CopyParts, copyBlob } from './copy-blob.ts';
import { type BlobToCopy, type CopyOutcome, isSmall, keyOf } from './model.ts';
import type { Turns, Urgency } from './turns.ts';

interface Flight {
  readonly outcome: Promise<CopyOutcome>;
  readonly received: { readonly bytes: number };
  readonly registryId: number;
}

/** Copies of blobs: each once at a time, however many manifests need it, and so many at once. */
export class BlobBringer {
  readonly #parts: CopyParts;
  readonly #turns: Turns;
  readonly #flights = new Map<string, Flight>();

  constructor(parts: CopyParts, turns: Turns) {
    this.#parts = parts;
    this.#turns = turns;
  }

  /** Counts bytes against the limit that came for somebody who waits. */
  owe(bytes: number): void {
    this.#parts.limit.owe(bytes);
  }

  /** What has arrived of blobs that are not whole yet. */
  receivedBytes(registryId: number): number {
    let sum = 0;
    for (const flight of this.#flights.values()) if (flight.registryId === registryId) sum += flight.received.bytes;
    return sum;
  }

  /**
   * Resolves when the repository has the blob. Whoever comes second waits for the first. `signal` ends the copy itself and is
   * therefore that of the whole program. @throws CopyFailedError, RegistryError STORAGE_FULL
   */
  bring(blob: BlobToCopy, options: { readonly isUrgent: boolean; readonly signal: AbortSignal }): Promise<CopyOutcome> {
    const key = keyOf(blob);
    const known = this.#flights.get(key);
    if (known !== undefined) return known.outcome;
    const urgency: Urgency = options.isUrgent ? 'urgent' : isSmall(blob.sizeBytes) ? 'small' : 'large';
    const { signal } = options;
    const received = { bytes: 0 };
    const outcome = this.#turns
      .run(urgency, signal, (turn) => copyBlob(this.#parts, { blob, turn, signal, received }))
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, { outcome, received, registryId: blob.registryId });
    return outcome;
  }
}

/** A missing blob of a manifest as something to copy. */
export function toCopy(
  { registryId, repository, source }: Pick<ClaimedManifest, 'registryId' | 'repository' | 'source'>,
  { digest, sizeBytes, isOptional }: Omit<MissingContent, 'isManifest'>,
  names: { readonly registry: string; readonly principalId: string },
): BlobToCopy {
  return { registryId, repository, digest, sizeBytes, isOptional, source, ...names };
}
