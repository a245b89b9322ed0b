export { foldStored } from './fold-stored.ts';
export { type Stored, addStored, removeStored, requireRoom, storedIn } from './stored-bytes.ts';
