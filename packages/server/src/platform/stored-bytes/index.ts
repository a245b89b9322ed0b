export { foldStored } from './fold-stored.ts';
export { type Stored, addStored, changeManifestBytes, removeStored, requireRoom, storedIn } from './stored-bytes.ts';
