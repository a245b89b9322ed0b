import type { Route } from '../http/route.ts';
import { Digests } from '../platform/digests/index.ts';
import type { GarbageHandler } from '../platform/garbage/index.ts';
import type { BlobName, BlobsContext } from './blobs-context.ts';
import { garbageHandlers } from './collect.ts';
import { type BlobToLink, type BlobToUpload, bytesOfBlob, hasBlob, linkBlobOf, uploadBlob } from './for-features.ts';
import { type BlobForRegion, type ReplicaBlobs, findForRegion, replicaBlobs } from './for-regions.ts';
import { expireUploads } from './expire-uploads.ts';
import { type BlobToRead, readBlob } from './read-blob.ts';
import { blobRoutes } from './routes.ts';
import { UploadSessions } from './upload-sessions.ts';

export type { BlobElsewhere, BlobName, BlobsElsewhere } from './blobs-context.ts';
export type { BlobForRegion, ReplicaBlob, ReplicaBlobs, ReplicaUpload } from './for-regions.ts';
export { endUpload } from './free-parts.ts';
export { findLinkedBlobs, linkBlob } from './link-blob.ts';
export type { BlobToRead } from './read-blob.ts';
export { linkSubject } from './model.ts';
export { blobTransactions } from './transactions.ts';

export interface BlobsOptions extends Omit<BlobsContext, 'sessions' | 'digests'> {
  /** Uploads that nobody has touched for so long are given up. */
  readonly uploadExpiryMs: number;
}

export interface Blobs {
  readonly routes: readonly Route[];
  readonly garbageHandlers: readonly GarbageHandler[];
  /** To be called again and again. Resolves with the number of uploads that were given up. */
  expireUploads(signal: AbortSignal): Promise<number>;
  /** A small blob whole; undefined when it is missing or larger. @throws CONTENT_DAMAGED */
  read(wanted: BlobToRead): Promise<Buffer | undefined>;
  /** Whether a repository has a blob, sound; it then stays long enough for a manifest that names it. */
  has(blob: BlobName): Promise<boolean>;
  /** As a push does. @throws DIGEST_INVALID, SIZE_INVALID, STORAGE_FULL */
  upload(blob: BlobToUpload): Promise<void>;
  /** Links a blob of a repository that may be read into another. False: it was not done. */
  link(blob: BlobToLink): Promise<boolean>;
  /** The whole content. @throws BLOB_UNKNOWN, REGISTRY_DISALLOWED_OPERATION, CONTENT_DAMAGED */
  open(blob: BlobName, signal: AbortSignal): AsyncIterable<Buffer>;
  /** A blob for another region; undefined: it is not here, or damaged. */
  forRegion(blob: BlobName): Promise<BlobForRegion | undefined>;
  /** Takes what other regions have. */
  readonly replica: ReplicaBlobs;
  /** Requests that are receiving bytes now. */
  activeUploads(): number;
  /** Parts whose objects collection has deleted since the start. */
  freedParts(): number;
  /** Ends the uploads in work; what they have is kept. Resolves when nothing writes any more. */
  stop(): Promise<void>;
}

/** Blobs, uploads, downloads and mounts: the first half of the distribution protocol. */
export function createBlobs({ uploadExpiryMs, ...options }: BlobsOptions): Blobs {
  const context: BlobsContext = { ...options, sessions: new UploadSessions(), digests: new Digests() };
  let freed = 0;
  return {
    routes: blobRoutes(context),
    garbageHandlers: garbageHandlers({
      database: options.database,
      store: options.store,
      onFreed: (parts) => {
        freed += parts;
      },
    }),
    expireUploads: (signal) => expireUploads(context, uploadExpiryMs, signal),
    read: (wanted) => readBlob(context, wanted),
    has: (blob) => hasBlob(context, blob),
    upload: (blob) => uploadBlob(context, blob),
    link: (blob) => linkBlobOf(context, blob),
    open: (blob, signal) => bytesOfBlob(context, blob, signal),
    forRegion: (blob) => findForRegion(context, blob),
    replica: replicaBlobs(context),
    activeUploads: () => context.sessions.active.length,
    freedParts: () => freed,
    stop: async () => {
      await context.sessions.stop();
      await context.digests.close();
    },
  };
}
