/** What V8 and the C library do not know about a server through which gigabytes pass. */
export { collectLess } from './collect-less.ts';
export { keepFreedMemory } from './keep-freed-memory.ts';
export { releaseMemory } from './release-memory.ts';
