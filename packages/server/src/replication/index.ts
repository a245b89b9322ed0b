export { type Replication, createReplication } from './create-replication.ts';
export { type PeerSettings, parsePeers } from './peers/index.ts';
