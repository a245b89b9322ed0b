/** One key of a registry's ring, unwrapped. 32 bytes of input key material for sealing. */
export interface DataKey {
  /** Random identifier, stored beside everything that the key sealed. */
  readonly id: string;
  readonly registryId: number;
  readonly material: Uint8Array;
}

/** The unwrapped keys of all registries, held in memory only. */
export interface KeyRing {
  /** The key that seals new content of a registry. Throws `KEY_UNAVAILABLE`. */
  current(registryId: number): DataKey;
  /** The key that sealed stored content. Throws `KEY_UNAVAILABLE` when it cannot be unwrapped or does not exist. */
  get(registryId: number, keyId: string): DataKey;
}
