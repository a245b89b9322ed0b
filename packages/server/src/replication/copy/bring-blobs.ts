import type { ClaimedManifest, MissingContent } from '../merge/model.ts';
import { type CopyParts, copyBlob } from './copy-blob.ts';
import { type BlobToCopy, type CopyOutcome, isSmall, keyOf } from './model.ts';
import { Ticket, type Turns } from './turns.ts';

interface Flight {
  readonly ticket: Ticket;
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
    const { isUrgent, signal } = options;
    const known = this.#flights.get(key);
    if (known !== undefined) {
      if (isUrgent) this.#turns.hurry(known.ticket);
      return known.outcome;
    }
    const ticket = new Ticket(isUrgent ? 'urgent' : isSmall(blob.sizeBytes) ? 'small' : 'large');
    const received = { bytes: 0 };
    const outcome = this.#turns
      .run(ticket, signal, (turn) =>
        copyBlob(this.#parts, { blob, turn, isUrgent: () => ticket.urgency === 'urgent', signal, received }),
      )
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, { ticket, outcome, received, registryId: blob.registryId });
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
