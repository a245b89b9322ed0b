import { testBlobStore } from './blob-store.contract.ts';
import { faultyStore } from './faulty-store.ts';
import { limitedStore } from './limited-store.ts';
import { measuredStore } from './measured-store.ts';
import { openMemoryStore } from './memory-store.ts';
import { retryingStore } from './retrying-store.ts';

const noWait = { wait: async () => undefined, attempts: 200 };

testBlobStore('limited', async () => {
  const store = limitedStore(openMemoryStore(), 2);
  return async () => store;
});

testBlobStore('measured', async () => {
  const store = measuredStore(openMemoryStore(), { now: () => 0 }, () => undefined);
  return async () => store;
});

testBlobStore('faulty without faults', async () => {
  const store = faultyStore(openMemoryStore(), {}, 1);
  return async () => store;
});

testBlobStore('retrying over one that fails half of the time', async () => {
  const flaky = faultyStore(openMemoryStore(), { transient: 0.5 }, 7);
  // A check is a question about now: it is not repeated.
  const store = { ...retryingStore(flaky, noWait), check: async () => undefined };
  return async () => store;
});
