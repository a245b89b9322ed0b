import { DatabaseSync } from 'node:sqlite';
import { SqliteConnection } from './connection.ts';

/** How long to wait for another process's lock, such as a backup's. */
const busyTimeoutMs = 5_000;

/** Opens the connection that may write. WAL and FULL: an acknowledged push survives a power cut (architecture 5). */
export function openWriteConnection(file: string): SqliteConnection {
  const connection = new SqliteConnection(
    new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true, defensive: true }),
  );
  connection.query('pragma journal_mode = wal', []);
  connection.run('pragma synchronous = full');
  // 4 MiB: more gains a little speed, and takes that much longer to give a full disk's space back.
  connection.query('pragma wal_autocheckpoint = 1000', []);
  // After a burst the log shrinks to this again.
  connection.query(`pragma journal_size_limit = ${64 * 1024 * 1024}`, []);
  connection.run(`pragma cache_size = ${-16 * 1024}`);
  return connection;
}

/** Opens a connection that sees every committed write and cannot write. */
export function openReadConnection(file: string): SqliteConnection {
  const connection = new SqliteConnection(new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs }));
  connection.run(`pragma cache_size = ${-32 * 1024}`);
  return connection;
}
