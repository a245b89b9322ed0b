/** What verifiers are made with. It comes from a signing key, which it tells nothing about. */
export interface VerifierKey {
  readonly id: string;
  readonly key: Buffer;
}

/** What a registry takes of credentials that were made in other regions. */
export interface RegistryTrust {
  readonly registryId: number;
  /** Of a replica: by what passwords that were made at home are checked. */
  readonly home?: {
    /** Its id there: verifiers are made with it. */
    readonly registryId: number;
    readonly verifierKeys: readonly VerifierKey[];
  };
  /** The other regions that hold it: as it is called there, and the public keys of its tokens (JWK with `kid`). */
  readonly regions: readonly {
    readonly loginServer: string;
    readonly tokenKeys: readonly Readonly<Record<string, unknown>>[];
  }[];
}

/** How regions that hold the same registries take one another's passwords and tokens. */
export interface RegionCredentials {
  /** By which the verifiers of this deployment are checked; derived, no signing key. */
  readonly verifierKeys: readonly VerifierKey[];
  /** By which its tokens are verified. */
  readonly tokenKeys: readonly Readonly<Record<string, unknown>>[];
  /** From now on this is taken, and nothing else of other regions. */
  trust(registries: readonly RegistryTrust[]): void;
  /** Accounts were written by something else than this feature: they are read anew. */
  forgetAccounts(): void;
}
