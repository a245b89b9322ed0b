import { randomBytes } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { TransactionDefinition } from '../database/index.ts';
import type { DataKeyRow, SigningKeyRow } from '../database/tables.ts';
import type { DataKey } from './data-key.ts';
import type { ManagedKeyRing, OpenKeyRingOptions, SigningKey } from './managed-key-ring.ts';
import { allDataKeys, allSigningKeys } from './queries.ts';
import { type NewKey, type RewrappedKey, addDataKey, addFirstSigningKey, addSigningKey, rewrapKeys } from './transactions.ts';
import { newWrappingKey } from './wrapping-key-file.ts';
import { type WrappingKey, dataKeyPurpose, signingKeyPurpose, unwrap, wrap } from './wrapping.ts';

/** A key that is not there may come back: how often to look, at most. */
const lookAgainMs = 1_000;
/** Keys that other processes add while a rotation runs need another round; more rounds than this find none. */
const maxRewrapRounds = 5;

/** The ring of a deployment whose wrapping keys lie in a local file. */
export class LocalKeyRing implements ManagedKeyRing {
  readonly #options: OpenKeyRingOptions;
  #wrappingKeys: readonly WrappingKey[] = [];
  /** Wrapping keys that stored rows named when they were last read, there or not. */
  #namedWrappingKeys: readonly string[] = [];
  #keys = new Map<string, DataKey>();
  /** By registry: the id of its current key, available or not. */
  #current = new Map<number, string>();
  /** Changes of the ring, one after another: a slow reading of the rows must not undo a newer key. */
  #queue: Promise<unknown> = Promise.resolve();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: OpenKeyRingOptions) {
    this.#options = options;
  }

  hasKey(registryId: number): boolean {
    return this.#current.has(registryId);
  }

  current(registryId: number): DataKey {
    return this.get(registryId, this.#current.get(registryId) ?? '');
  }

  get(registryId: number, keyId: string): DataKey {
    const key = this.#keys.get(keyId);
    if (key?.registryId === registryId) return key;
    this.#lookAgain();
    throw unavailable();
  }

  addDataKey(registryId: number): Promise<DataKey> {
    return this.#exclusively(async () => {
      const key: DataKey = { id: randomBytes(8).toString('hex'), registryId, material: randomBytes(32) };
      await this.#add(addDataKey, (wrappingKey) => ({
        id: key.id,
        registry_id: registryId,
        wrapping_key_id: wrappingKey.id,
        wrapped_key: wrap(wrappingKey, dataKeyPurpose(registryId, key.id), key.material),
        created_at: this.#options.clock.now(),
      }));
      this.#keys.set(key.id, key);
      this.#current.set(registryId, key.id);
      return key;
    });
  }

  addSigningKey(key: Omit<SigningKey, 'isCurrent'>): Promise<void> {
    return this.#addSigningKey(addSigningKey, key);
  }

  addFirstSigningKey(key: Omit<SigningKey, 'isCurrent'>): Promise<void> {
    return this.#addSigningKey(addFirstSigningKey, key);
  }

  #addSigningKey(
    transaction: TransactionDefinition<NewKey<SigningKeyRow>, boolean>,
    key: Omit<SigningKey, 'isCurrent'>,
  ): Promise<void> {
    return this.#exclusively(() =>
      this.#add(transaction, (wrappingKey) => ({
        id: key.id,
        wrapping_key_id: wrappingKey.id,
        wrapped_private_key: wrap(wrappingKey, signingKeyPurpose(key.id), key.privateKey),
        public_key: key.publicKey,
        created_at: this.#options.clock.now(),
      })),
    );
  }

  async signingKeys(): Promise<readonly SigningKey[]> {
    const rows = await allSigningKeys(this.#options.database.read);
    return rows.map((row) => {
      const privateKey = this.#unwrapSigningKey(row);
      // Going on without it would make passwords and tokens that it vouches for worthless.
      if (privateKey === undefined) throw unavailable();
      return { id: row.id, privateKey, publicKey: row.public_key, isCurrent: row.is_current === 1 };
    });
  }

  rotateWrappingKey(): Promise<{ readonly id: string; readonly rewrapped: number }> {
    return this.#exclusively(async () => {
      const fresh = newWrappingKey();
      const keys = [fresh, ...(await this.#allWrappingKeys())];
      // The file knows the new key before any row does, and loses the old only after no row needs it.
      await this.#options.file.write(keys);
      this.#wrappingKeys = keys;
      return { id: fresh.id, rewrapped: await this.#rewrap() };
    });
  }

  reload(): Promise<void> {
    return this.#exclusively(() => this.#load());
  }

  async check(): Promise<void> {
    const registries = await this.#options.database.read.selectFrom('registries').select('id').execute();
    const isOpen = ({ id }: { readonly id: number }): boolean => this.#keys.has(this.#current.get(id) ?? '');
    if (registries.every(isOpen)) return;
    await this.reload();
    if (!registries.every(isOpen)) throw unavailable();
  }

  /** Whether the key file opens any stored key at all. */
  opensAny(signingKeys: readonly SigningKeyRow[]): boolean {
    return this.#keys.size > 0 || signingKeys.some((row) => this.#unwrapSigningKey(row) !== undefined);
  }

  /** A crash may have come between the new file and the rewrapped rows, or before the old key was dropped (attack 38). */
  async finishRotation(): Promise<void> {
    if (this.#wrappingKeys.length > 1) await this.#exclusively(() => this.#rewrap());
  }

  #exclusively<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(change);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Another process may have added the key, or the key file may be back. */
  #lookAgain(): void {
    const now = this.#options.clock.now();
    if (now - this.#lookedAt < lookAgainMs) return;
    this.#lookedAt = now;
    this.reload().catch((error: unknown) => this.#options.log?.error({ err: error }, 'the key ring cannot be read again'));
  }

  async #load(): Promise<void> {
    this.#wrappingKeys = (await this.#options.file.read()) ?? [];
    const { read } = this.#options.database;
    const [rows, signingRows] = await Promise.all([allDataKeys(read), allSigningKeys(read)]);
    this.#namedWrappingKeys = [...new Set([...rows, ...signingRows].map((row) => row.wrapping_key_id))];
    const keys = new Map<string, DataKey>();
    for (const row of rows) {
      const material = this.#unwrapDataKey(row);
      if (material !== undefined) keys.set(row.id, { id: row.id, registryId: row.registry_id, material });
      else
        this.#options.log?.error(
          { registryId: row.registry_id, keyId: row.id, wrappingKeyId: row.wrapping_key_id },
          'a data key cannot be opened',
        );
    }
    this.#keys = keys;
    this.#current = new Map(rows.filter((row) => row.is_current === 1).map((row) => [row.registry_id, row.id]));
  }

  /** Wraps and stores a key; once more when another process has rotated meanwhile. */
  async #add<Row>(
    transaction: TransactionDefinition<NewKey<Row>, boolean>,
    wrapped: (by: WrappingKey) => Omit<Row, 'is_current'>,
  ): Promise<void> {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const row = wrapped(this.#wrappingKey());
      const knownWrappingKeys = [...this.#wrappingKeys.map((key) => key.id), ...this.#namedWrappingKeys];
      if (await this.#options.database.write(transaction, { row, knownWrappingKeys })) return;
      await this.#load();
    }
    throw unavailable();
  }

  /** Rewraps what is not under the first wrapping key, then drops those that no row needs. Returns the number of rewrapped keys. */
  async #rewrap(): Promise<number> {
    const target = this.#wrappingKey();
    let rewrapped = 0;
    let stillNeeded: readonly string[] = [];
    for (let round = 0; round < maxRewrapRounds; round += 1) {
      const batch = await this.#rewrapAll(target);
      const { length } = [...batch.dataKeys, ...batch.signingKeys];
      stillNeeded = await this.#options.database.write(rewrapKeys, { ...batch, toKeyId: target.id });
      rewrapped += length;
      if (length === 0) break;
    }
    this.#namedWrappingKeys = [target.id, ...stillNeeded];
    const all = await this.#allWrappingKeys();
    const kept = all.filter((key) => key.id === target.id || stillNeeded.includes(key.id));
    // Another process may have begun a rotation of its own: it finishes both.
    const isNewest = (await this.#options.file.read())?.[0]?.id === target.id;
    if (isNewest && kept.length < all.length) await this.#options.file.write(kept);
    this.#wrappingKeys = isNewest ? kept : all;
    return rewrapped;
  }

  /** Keys that cannot be opened stay as they are, and keep their wrapping key in the file. */
  async #rewrapAll(target: WrappingKey): Promise<{ readonly dataKeys: RewrappedKey[]; readonly signingKeys: RewrappedKey[] }> {
    const { read } = this.#options.database;
    const rewrap = (row: DataKeyRow | SigningKeyRow, purpose: string, plain: Buffer | undefined): RewrappedKey[] =>
      plain === undefined || row.wrapping_key_id === target.id
        ? []
        : [{ id: row.id, fromKeyId: row.wrapping_key_id, wrapped: wrap(target, purpose, plain) }];
    const [dataRows, signingRows] = await Promise.all([allDataKeys(read), allSigningKeys(read)]);
    return {
      dataKeys: dataRows.flatMap((row) => rewrap(row, dataKeyPurpose(row.registry_id, row.id), this.#unwrapDataKey(row))),
      signingKeys: signingRows.flatMap((row) => rewrap(row, signingKeyPurpose(row.id), this.#unwrapSigningKey(row))),
    };
  }

  /** Those in memory and those in the file, the wrapping one first: neither may get lost in a rotation. */
  async #allWrappingKeys(): Promise<readonly WrappingKey[]> {
    const inFile = (await this.#options.file.read()) ?? [];
    const all = new Map([...this.#wrappingKeys, ...inFile].map((key) => [key.id, key]));
    return [...all.values()];
  }

  #unwrapDataKey(row: DataKeyRow): Buffer | undefined {
    return this.#unwrap(row.wrapping_key_id, dataKeyPurpose(row.registry_id, row.id), row.wrapped_key);
  }

  #unwrapSigningKey(row: SigningKeyRow): Buffer | undefined {
    return this.#unwrap(row.wrapping_key_id, signingKeyPurpose(row.id), row.wrapped_private_key);
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
