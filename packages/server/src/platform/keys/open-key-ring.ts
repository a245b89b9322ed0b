import { randomBytes } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/index.ts';
import type { DataKeyRow } from '../database/tables.ts';
import type { DataKey, KeyRing } from './data-key.ts';
import { allDataKeys, allSigningKeys } from './queries.ts';
import { addDataKey, addSigningKey, rewrapKeys } from './transactions.ts';
import { type WrappingKey, dataKeyPurpose, signingKeyPurpose, unwrap, wrap } from './wrapping.ts';
import { KeyFileError, type WrappingKeyFile, newWrappingKey } from './wrapping-key-file.ts';

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
  /** Whether a registry has a key for new content. */
  hasKey(registryId: number): boolean;
  /** Makes a data key for new content of a registry; older ones stay for reading. */
  addDataKey(registryId: number): Promise<DataKey>;
  addSigningKey(key: Omit<SigningKey, 'isCurrent'>): Promise<void>;
  /** The signing keys that can be unwrapped. */
  signingKeys(): Promise<readonly SigningKey[]>;
  /** Replaces the wrapping key and rewraps every key; touches no content. Can be repeated after a crash at any point. */
  rotateWrappingKey(): Promise<{ readonly id: string; readonly rewrapped: number }>;
  /** Reads the key file and the database again: after a restore, or when another process rotated. */
  reload(): Promise<void>;
  /** Rejects with KEY_UNAVAILABLE when the ring cannot open every registry's current key. */
  check(): Promise<void>;
}

export interface OpenKeyRingOptions {
  readonly database: Database;
  readonly file: WrappingKeyFile;
  readonly clock: Clock;
}

/** Opens the ring; on a first start makes the key file. @throws KeyFileError when keys exist that no file can open */
export async function openKeyRing(options: OpenKeyRingOptions): Promise<ManagedKeyRing> {
  const rows = await allDataKeys(options.database.read);
  let wrappingKeys = await options.file.read();
  if (wrappingKeys === undefined) {
    if (rows.length > 0) {
      throw new KeyFileError(`the key file ${options.file.path} is missing, and without it the stored data cannot be opened: put its backup back at that place`);
    }
    wrappingKeys = [newWrappingKey()];
    await options.file.write(wrappingKeys);
  }
  const ring = new LocalKeyRing(options, wrappingKeys, rows);
  ring.assertOpens();
  await ring.finishRotation();
  return ring;
}

class LocalKeyRing implements ManagedKeyRing {
  readonly #database: Database;
  readonly #file: WrappingKeyFile;
  readonly #clock: Clock;
  #wrappingKeys: readonly WrappingKey[];
  #keys = new Map<string, DataKey>();
  #current = new Map<number, DataKey>();
  #rotation: Promise<unknown> = Promise.resolve();

  constructor(options: OpenKeyRingOptions, wrappingKeys: readonly WrappingKey[], rows: readonly DataKeyRow[]) {
    this.#database = options.database;
    this.#file = options.file;
    this.#clock = options.clock;
    this.#wrappingKeys = wrappingKeys;
    this.#adopt(rows);
  }

  hasKey(registryId: number): boolean {
    return this.#current.has(registryId);
  }

  current(registryId: number): DataKey {
    const key = this.#current.get(registryId);
    if (key === undefined) throw unavailable();
    return key;
  }

  get(registryId: number, keyId: string): DataKey {
    const key = this.#keys.get(keyId);
    if (key === undefined || key.registryId !== registryId) throw unavailable();
    return key;
  }

  async addDataKey(registryId: number): Promise<DataKey> {
    const key: DataKey = { id: randomBytes(8).toString('hex'), registryId, material: randomBytes(32) };
    const wrappingKey = this.#wrappingKey();
    await this.#database.write(addDataKey, {
      id: key.id,
      registry_id: registryId,
      wrapping_key_id: wrappingKey.id,
      wrapped_key: wrap(wrappingKey, dataKeyPurpose(registryId, key.id), key.material),
      created_at: this.#clock.now(),
    });
    this.#keys.set(key.id, key);
    this.#current.set(registryId, key);
    return key;
  }

  async addSigningKey(key: Omit<SigningKey, 'isCurrent'>): Promise<void> {
    const wrappingKey = this.#wrappingKey();
    await this.#database.write(addSigningKey, {
      id: key.id,
      wrapping_key_id: wrappingKey.id,
      wrapped_private_key: wrap(wrappingKey, signingKeyPurpose(key.id), key.privateKey),
      public_key: key.publicKey,
      created_at: this.#clock.now(),
    });
  }

  async signingKeys(): Promise<readonly SigningKey[]> {
    const rows = await allSigningKeys(this.#database.read);
    return rows.flatMap((row) => {
      const privateKey = this.#unwrap(row.wrapping_key_id, signingKeyPurpose(row.id), row.wrapped_private_key);
      return privateKey === undefined ? [] : [{ id: row.id, privateKey, publicKey: row.public_key, isCurrent: row.is_current === 1 }];
    });
  }

  rotateWrappingKey(): Promise<{ readonly id: string; readonly rewrapped: number }> {
    const rotation = this.#rotation.catch(() => undefined).then(() => this.#rotate());
    this.#rotation = rotation;
    return rotation;
  }

  /** A crash may have come between the new file and the rewrapped rows, or before the old key was dropped. */
  async finishRotation(): Promise<void> {
    if (this.#wrappingKeys.length > 1) await this.#rewrap();
  }

  async reload(): Promise<void> {
    this.#wrappingKeys = (await this.#file.read()) ?? [];
    this.#adopt(await allDataKeys(this.#database.read));
  }

  async check(): Promise<void> {
    const registries = await this.#database.read.selectFrom('registries').select('id').execute();
    for (const { id } of registries) this.current(id);
  }

  /** A key file of another deployment opens nothing: better to say so at the start than at each pull. */
  assertOpens(): void {
    if (this.#unopened > 0) throw new KeyFileError(`the keys in ${this.#file.path} do not open the stored data: put the key file that belongs to this data at that place`);
  }

  #unopened = 0;

  #adopt(rows: readonly DataKeyRow[]): void {
    this.#keys = new Map();
    this.#current = new Map();
    this.#unopened = 0;
    for (const row of rows) {
      const material = this.#unwrap(row.wrapping_key_id, dataKeyPurpose(row.registry_id, row.id), row.wrapped_key);
      if (material === undefined) {
        this.#unopened += 1;
        continue;
      }
      const key: DataKey = { id: row.id, registryId: row.registry_id, material };
      this.#keys.set(key.id, key);
      if (row.is_current === 1) this.#current.set(row.registry_id, key);
    }
  }

  async #rotate(): Promise<{ readonly id: string; readonly rewrapped: number }> {
    const fresh = newWrappingKey();
    const keys = [fresh, ...this.#wrappingKeys];
    // The file knows the new key before any row does, and loses the old only after no row needs it.
    await this.#file.write(keys);
    this.#wrappingKeys = keys;
    return { id: fresh.id, rewrapped: await this.#rewrap() };
  }

  async #rewrap(): Promise<number> {
    const target = this.#wrappingKey();
    const dataKeys = (await allDataKeys(this.#database.read)).filter((row) => row.wrapping_key_id !== target.id);
    const signingKeys = (await allSigningKeys(this.#database.read)).filter((row) => row.wrapping_key_id !== target.id);
    const rewrapped = {
      dataKeys: dataKeys.map((row) => ({ id: row.id, wrapped: this.#rewrapped(target, dataKeyPurpose(row.registry_id, row.id), row.wrapping_key_id, row.wrapped_key) })),
      signingKeys: signingKeys.map((row) => ({ id: row.id, wrapped: this.#rewrapped(target, signingKeyPurpose(row.id), row.wrapping_key_id, row.wrapped_private_key) })),
    };
    const left = await this.#database.write(rewrapKeys, { ...rewrapped, toKeyId: target.id });
    // A key added meanwhile by another process still needs the old wrapping key; the next rotation drops it.
    if (left === 0) {
      await this.#file.write([target]);
      this.#wrappingKeys = [target];
    }
    return dataKeys.length + signingKeys.length;
  }

  #rewrapped(target: WrappingKey, purpose: string, fromId: string, wrapped: Uint8Array): Buffer {
    const plain = this.#unwrap(fromId, purpose, wrapped);
    if (plain === undefined) throw unavailable();
    return wrap(target, purpose, plain);
  }

  #unwrap(wrappingKeyId: string, purpose: string, wrapped: Uint8Array): Buffer | undefined {
    const key = this.#wrappingKeys.find((each) => each.id === wrappingKeyId);
    return key && unwrap(key, purpose, wrapped);
  }

  #wrappingKey(): WrappingKey {
    const key = this.#wrappingKeys[0];
    if (key === undefined) throw unavailable();
    return key;
  }
}

function unavailable(): RegistryError {
  return new RegistryError('KEY_UNAVAILABLE');
}
