export { type Database, type ReadQueries, type TransactionDefinition, type WriteQueries, defineTransaction } from './database.ts';
export { lockFreeRows, lockRows } from './lock-rows.ts';
export { SchemaTooNewError } from './migrate.ts';
export { type NoticedDatabase, noticeWrites } from './noticed-writes.ts';
export { type OpenDatabaseOptions, openDatabase } from './open-database.ts';
export { type PreparedRead, prepareRead, prepareWrite } from './prepared-read.ts';
export { type DataLock, DataInUseError, acquireDataLock } from './sqlite/data-lock.ts';
export { type WriterThreads, startWriterThread } from './sqlite/writer-threads.ts';
export type * from './tables.ts';
