export { type PeerSettings, type Peers, createPeers, parsePeers } from './peers/index.ts';
export { replicationKind } from './replication-kind.ts';
