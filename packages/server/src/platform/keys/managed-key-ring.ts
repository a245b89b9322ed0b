import type { Clock } from '../clock.ts';
import type { Database } from '../database/index.ts';
import type { Logger } from '../logger.ts';
import type { DataKey, KeyRing } from './data-key.ts';
import type { WrappingKeyFile } from './wrapping-key-file.ts';

/** A key that signs tokens, unwrapped. */
export interface SigningKey {
  readonly id: string;
  /** PKCS #8, DER. */
  readonly privateKey: Buffer;
  /** JWK as JSON. */
  readonly publicKey: string;
  readonly isCurrent: boolean;
}

export interface ManagedKeyRing extends KeyRing {
  /** Whether a registry has a key for new content, be it available now or not. */
  hasKey(registryId: number): boolean;
  /** Makes a data key for new content of a registry: its first, or the next one. Older ones stay for reading. */
  addDataKey(registryId: number): Promise<DataKey>;
  addSigningKey(key: Omit<SigningKey, 'isCurrent'>): Promise<void>;
  /** Adds it unless there is a signing key, by another process perhaps. */
  addFirstSigningKey(key: Omit<SigningKey, 'isCurrent'>): Promise<void>;
  /** The signing keys, the oldest first. Rejects with KEY_UNAVAILABLE when one of them cannot be unwrapped. */
  signingKeys(): Promise<readonly SigningKey[]>;
  /**
   * Replaces the wrapping key and rewraps every key; touches no content. Can be repeated after a crash at any point, and
   * the next start finishes it by itself. On PostgreSQL let one process rotate at a time.
   */
  rotateWrappingKey(): Promise<{ readonly id: string; readonly rewrapped: number }>;
  /** Reads the key file and the database again: after a restore, or when another process rotated. @throws KeyFileError */
  reload(): Promise<void>;
  /** Rejects with KEY_UNAVAILABLE when the ring cannot open every registry's current key, after looking again. */
  check(): Promise<void>;
}

export interface OpenKeyRingOptions {
  readonly database: Database;
  readonly file: WrappingKeyFile;
  readonly clock: Clock;
  readonly log?: Pick<Logger, 'warn' | 'error'>;
}
