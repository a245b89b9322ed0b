export type { DataKey, KeyRing } from './data-key.ts';
export type { ManagedKeyRing, OpenKeyRingOptions, SigningKey } from './managed-key-ring.ts';
export { openKeyRing } from './open-key-ring.ts';
export { keyTransactions } from './transactions.ts';
export { KeyFileError, KeyMissingError, WrappingKeyFile } from './wrapping-key-file.ts';
