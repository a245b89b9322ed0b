/** Digests of bytes that arrive bit by bit; those of many bytes are computed in a thread of their own. */
export { Digests } from './digests.ts';
export type { RunningDigest } from './running-digest.ts';
