/**
 * Where parts live: named objects, written once, read by range, deleted by name.
 *
 * What a store never does: list, rename, copy, append to a committed object. The database knows every name before its
 * first byte is written, so none of these is needed.
 */
export interface BlobStore {
  readonly properties: BlobStoreProperties;

  /**
   * Opens a new object for writing. Rejects with `PartExistsError` when the name was ever used and not deleted, also
   * by a writer that crashed. Nothing is readable before `commit`.
   */
  create(name: PartName, signal?: AbortSignal): Promise<PartWriter>;

  /**
   * Opens a committed object. Rejects with `PartMissingError` when there is none. What a crash left half-written may open,
   * too: only the database knows which objects are whole.
   */
  open(name: PartName, signal?: AbortSignal): Promise<PartReader>;

  /** Removes objects, committed or left half-written; a name without an object is not an error. Idempotent and durable. */
  deleteMany(names: readonly PartName[]): Promise<void>;

  /** Proves that the store can be written and read now; rejects with the reason otherwise (`StoreFullError`: it can be read). */
  check(): Promise<void>;

  close(): Promise<void>;
}

export interface BlobStoreProperties {
  /** A short name for logs and metrics: `filesystem`, `memory`, … */
  readonly kind: string;
  /** Whether committed objects survive the end of the process. */
  readonly isDurable: boolean;
}

/** 32 lower-case hexadecimal digits, random. */
export type PartName = string;

/**
 * One object being written. Calls do not overlap except as said; after any rejection only `cancel` may follow.
 */
export interface PartWriter {
  /**
   * Appends the buffers in order. The promise resolves when the writer can take more (bounded number of writes in
   * flight), not when the bytes are durable. The buffers are the writer's from then on, and empty once it has written them.
   * Rejects with `StoreFullError` when there is no space; a failed earlier write surfaces in a later call.
   */
  append(buffers: readonly Uint8Array[]): Promise<void>;
  /** Resolves once all bytes and the object's name are durable (fsync of file and folder). */
  commit(): Promise<void>;
  /** Drops the object. Safe to call at any time before `commit` resolved, any number of times. */
  cancel(): Promise<void>;
}

export interface PartReader {
  /** Size in bytes of the stored (sealed) object. */
  readonly sizeBytes: number;
  /**
   * Fills `target` from `offset` and returns the number of bytes read, short only at the object's end. Several reads
   * may be in flight at once.
   */
  read(offset: number, target: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

export class PartExistsError extends Error {
  override readonly name = 'PartExistsError';
}
export class PartMissingError extends Error {
  override readonly name = 'PartMissingError';
}
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}
/** The store is busy or cannot be reached: the same call may succeed when it is repeated. */
export class StoreTransientError extends Error {
  override readonly name = 'StoreTransientError';
}
