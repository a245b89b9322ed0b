import { Readable } from 'node:stream';
import type { ReplicaBlobs } from '../../blobs/index.ts';
import { RegistryError } from '../../errors/index.ts';
import type { Database } from '../../platform/database/index.ts';
import type { BlobToCopy } from './model.ts';
import { findCopy } from './queries.ts';
import { dropCopy, keepCopy } from './transactions.ts';

interface SessionParts {
  readonly database: Database;
  readonly blobs: ReplicaBlobs;
}

/** What the upload itself made impossible: it has to be begun anew. */
const lost: ReadonlySet<string> = new Set([
  'BLOB_UPLOAD_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'DIGEST_INVALID',
  'SIZE_INVALID',
  'RANGE_INVALID',
  'CONTENT_DAMAGED',
]);

/** The upload that a blob's bytes are gathered in. Which one it is stands in the database, so that a copy goes on after a crash. */
export class CopySession {
  readonly #parts: SessionParts;
  readonly #blob: BlobToCopy;
  readonly #uploadId: string;
  #receivedBytes: number;

  private constructor(
    parts: SessionParts,
    blob: BlobToCopy,
    upload: { readonly uploadId: string; readonly receivedBytes: number },
  ) {
    this.#parts = parts;
    this.#blob = blob;
    this.#uploadId = upload.uploadId;
    this.#receivedBytes = upload.receivedBytes;
  }

  /** The one that was begun earlier if there is one, even by a process that died. */
  static async open(parts: SessionParts, blob: BlobToCopy): Promise<CopySession> {
    const { database, blobs } = parts;
    const known = await findCopy(database.read, blob);
    const resumed = known === undefined ? undefined : await blobs.resume(blob, known);
    if (resumed !== undefined && resumed.receivedBytes <= blob.sizeBytes) return new CopySession(parts, blob, resumed);
    const begun = await blobs.begin(blob);
    const { registryId, repository, digest } = blob;
    await database.write(keepCopy, { registryId, repository, digest, uploadId: begun.uploadId });
    return new CopySession(parts, blob, begun);
  }

  /** Durable. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Makes a part of what comes; less than was announced when it breaks off. */
  async append(part: { readonly body: Readable; readonly sizeBytes: number; readonly signal: AbortSignal }): Promise<void> {
    const chunk = { ...part, uploadId: this.#uploadId, start: this.#receivedBytes };
    this.#receivedBytes = await this.#unlessLost(this.#parts.blobs.append(this.#blob, chunk), part.signal);
  }

  /** Makes the blob of what was received. @throws DIGEST_INVALID */
  async finish(signal: AbortSignal): Promise<void> {
    const body = Readable.from([], { objectMode: false });
    await this.#unlessLost(this.#parts.blobs.finish(this.#blob, { uploadId: this.#uploadId, body, signal }), signal);
    await this.#forget();
  }

  async #unlessLost<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!signal.aborted && error instanceof RegistryError && lost.has(error.error)) {
        await this.#parts.blobs.cancel(this.#blob, { uploadId: this.#uploadId, signal });
        await this.#forget();
      }
      throw error;
    }
  }

  async #forget(): Promise<void> {
    const { registryId, repository, digest } = this.#blob;
    await this.#parts.database.write(dropCopy, { registryId, repository, digest, uploadId: this.#uploadId });
  }
}
