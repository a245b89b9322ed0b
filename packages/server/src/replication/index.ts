export { replicationKind } from './replication-kind.ts';
