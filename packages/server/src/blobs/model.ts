import { randomBytes } from 'node:crypto';

/** An upload as the database knows it. */
export interface UploadState {
  readonly id: string;
  readonly repositoryId: number;
  readonly principal: string;
  readonly algorithm: string;
  /** Bytes in durable parts. */
  readonly receivedBytes: number;
  readonly version: number;
  /** Reserved, so that its name is recorded before its first byte is written. */
  readonly nextPart: string;
  readonly nextPartKeyId: string;
  readonly nextPosition: number;
}

/** A part to reserve. */
export interface ReservedPart {
  readonly name: string;
  readonly dataKeyId: string;
}

/** A blob of more pieces would make every download slow; a client that sends so many small chunks is broken. */
export const maxPartsPerUpload = 10_000;

/** What clients are asked for (`OCI-Chunk-Min-Length`): each chunk is an object of the store. Smaller ones are taken. */
export const minChunkBytes = 1024 * 1024;

/**
 * How long the row of a part that is not durable outlives its upload (ms). Another process may have read the row just
 * before, and create the object just after; whatever it leaves when it dies is found by the row.
 */
export const reservedPartDelayMs = 3_600_000;

export function newPartName(): string {
  return randomBytes(16).toString('hex');
}

/** The `Range` of an upload: its last byte's offset, `0-0` also when it is empty (OCI end-5). */
export function rangeOf(receivedBytes: number): string {
  return `0-${Math.max(0, receivedBytes - 1)}`;
}

export function uploadLocation(repository: string, uploadId: string): string {
  return `/v2/${repository}/blobs/uploads/${uploadId}`;
}

export function blobLocation(repository: string, digest: string): string {
  return `/v2/${repository}/blobs/${digest}`;
}

/** Garbage candidates name a link so. */
export function linkSubject(repositoryId: number, blobId: number): string {
  return `${repositoryId}:${blobId}`;
}

export function parseLinkSubject(subject: string): { readonly repositoryId: number; readonly blobId: number } {
  const [repositoryId = 0, blobId = 0] = subject.split(':').map(Number);
  return { repositoryId, blobId };
}
