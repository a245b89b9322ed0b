export {
  type BlobStore,
  type BlobStoreProperties,
  PartExistsError,
  type PartName,
  type PartReader,
  type PartWriter,
  StoreFullError,
} from './blob-store.ts';
export { openFilesystemStore } from './filesystem-store.ts';
export { measuredStore } from './measured-store.ts';
export { openMemoryStore } from './memory-store.ts';
export { type SealedStoreOptions, openSealedStore } from './open-sealed-store.ts';
export { PartDamagedError, type SealedStore, type SealedWriter } from './sealed-store.ts';
