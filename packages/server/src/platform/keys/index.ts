export type { DataKey, KeyRing } from './data-key.ts';
export { type ManagedKeyRing, type OpenKeyRingOptions, type SigningKey, openKeyRing } from './open-key-ring.ts';
export { keyTransactions } from './transactions.ts';
export { KeyFileError, WrappingKeyFile } from './wrapping-key-file.ts';
