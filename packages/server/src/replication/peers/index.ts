export { createPeers } from './create-peers.ts';
export * from './model.ts';
export { type PeerSettings, parsePeers } from './parse-peers.ts';
