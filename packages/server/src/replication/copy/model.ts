import type { Digest } from '@berth/oci';
import type { ReplicaBlob } from '../../blobs/index.ts';

/** What is copied up to this size comes in one go: keeping where it stands would cost more than copying it again. */
export const wholeBytes = 8 * 1024 * 1024;

/** Larger blobs become parts of this size: what a crash costs at the most, and how long others may have to wait for a turn. */
const partBytes = 64 * 1024 * 1024;
const smallestPartBytes = 4 * 1024 * 1024;
/** With a limit on bytes a part takes no longer than this, or a small image would wait for minutes. */
const partSeconds = 4;

/** Up to this size a blob is let pass by larger ones. */
const smallBytes = 4 * 1024 * 1024;

/** Bytes that a part of a large blob gets. `rate`: bytes a second; 0: no limit. */
export function bytesPerPart(rate: number): number {
  if (rate === 0) return partBytes;
  return Math.min(partBytes, Math.max(smallestPartBytes, Math.floor(rate * partSeconds)));
}

export function isSmall(sizeBytes: number): boolean {
  return sizeBytes <= smallBytes;
}

/** A blob to be brought from another region. */
export interface BlobToCopy extends ReplicaBlob {
  /** What regions call the registry. */
  readonly registry: string;
  readonly sizeBytes: number;
  /** Told first of a manifest that needs it. */
  readonly source: string;
  /** Regions need not have it. */
  readonly isOptional: boolean;
}

/** `absent`: an optional blob that no region has. */
export type CopyOutcome = 'copied' | 'linked' | 'absent';

/** Why something cannot be brought now. The message names regions and is fit for operators. */
export class CopyFailedError extends Error {
  override readonly name = 'CopyFailedError';
}

const firstRetryMs = 1_000;
const lastRetryMs = 300_000;

/** How long to wait after so many attempts in vain. */
export function retryDelayMs(attempts: number): number {
  return Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(attempts, 20));
}

export function keyOf({
  registryId,
  repository,
  digest,
}: {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: Digest;
}): string {
  return `${registryId}:${repository}@${digest}`;
}
