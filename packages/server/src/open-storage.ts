import { access as checkAccess, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Refusal } from './errors/index.ts';
import {
  type BlobStore,
  type SealedStore,
  measuredStore,
  openFilesystemStore,
  openMemoryStore,
  openSealedStore,
} from './platform/blob-store/index.ts';
import type { Clock } from './platform/clock.ts';
import { type Database, type NoticedDatabase, acquireDataLock, noticeWrites, openDatabase } from './platform/database/index.ts';
import { type ManagedKeyRing, WrappingKeyFile, openKeyRing } from './platform/keys/index.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Settings } from './settings/index.ts';

/** The data folder and the database, owned by this process. */
export interface Data {
  readonly dataDir: string;
  readonly database: NoticedDatabase;
}

/** Where everything lies that outlives the process. */
export interface Storage extends Data {
  readonly keyFile: string;
  readonly keys: ManagedKeyRing;
  readonly store: SealedStore;
}

/**
 * Opens, in this order: data folder, lock, database (migrated). What was opened is pushed to `opened`.
 * @throws Refusal and the errors that `asRefusal` knows
 */
export async function openData(
  settings: Settings,
  opened: AsyncDisposableStack,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<Data> {
  const dataDir = resolve(settings.data);
  await prepareDataDir(dataDir);
  // With PostgreSQL several processes may share the folder; the embedded database has one owner.
  if (settings.database === undefined) opened.adopt(acquireDataLock(dataDir), (lock) => lock.release());
  const onIdleError = (error: Error): void => log.warn({ err: error }, 'an idle database connection broke');
  const database = opened.adopt(await openDatabaseOf(settings, dataDir, { now: clock.now(), onIdleError }), (each) =>
    each.close(),
  );
  return { dataDir, database: noticeWrites(database) };
}

export interface StorageTools {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Opens the keys and the blob store of a data folder. @throws KeyFileError */
export async function openStorage(
  settings: Settings,
  opened: AsyncDisposableStack,
  { dataDir, database, clock, log, metrics }: Data & StorageTools,
): Promise<Storage> {
  const keyFile = join(dataDir, 'keys', 'wrapping-keys.json');
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(keyFile), clock, log });
  const parts = measuredStore(await openStore(settings, dataDir), clock, (call) => metrics.observeStoreCall(call));
  const store = opened.adopt(openSealedStore(parts), (each) => each.close());
  return { dataDir, database, keyFile, keys, store };
}

async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir);
    await checkAccess(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Refusal(
      `the data folder ${dataDir} cannot be made or written`,
      'give the user that runs berth write access to it, or choose another folder with --data',
      { cause: error },
    );
  }
}

/** With its parents. Node's own recursion never ends below /proc, where a folder is there and takes no other. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

function openDatabaseOf(
  settings: Settings,
  dataDir: string,
  options: { readonly now: number; readonly onIdleError: (error: Error) => void },
): Promise<Database> {
  const location = settings.database === undefined ? { file: join(dataDir, 'berth.db') } : { url: settings.database };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const transactionsModule = new URL(`./transactions.${extension}`, import.meta.url);
  return openDatabase({ ...options, location, transactionsModule, maxConnections: settings.databaseConnections });
}

function openStore(settings: Settings, dataDir: string): Promise<BlobStore> {
  if (settings.blobStore === 'memory:') return Promise.resolve(openMemoryStore());
  return openFilesystemStore(
    settings.blobStore === undefined ? join(dataDir, 'parts') : resolve(settings.blobStore.slice('file:'.length)),
  );
}
