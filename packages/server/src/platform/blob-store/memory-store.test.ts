import { testBlobStore } from './blob-store.contract.ts';
import { openMemoryStore } from './memory-store.ts';

testBlobStore('memory', async () => {
  const store = openMemoryStore();
  return async () => store;
});
