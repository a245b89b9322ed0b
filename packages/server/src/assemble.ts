import { access as checkAccess, constants, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAccess } from './access/index.ts';
import { createBlobs } from './blobs/index.ts';
import { createCatalog } from './catalog/index.ts';
import { Refusal } from './errors/index.ts';
import { healthRoutes } from './health/index.ts';
import { type HttpLimits, createHttpServer } from './http/index.ts';
import { type BlobStore, openFilesystemStore, openMemoryStore, openSealedStore } from './platform/blob-store/index.ts';
import { systemClock } from './platform/clock.ts';
import { type Database, DataInUseError, SchemaTooNewError, acquireDataLock, openDatabase } from './platform/database/index.ts';
import { countCandidates, createCollector } from './platform/garbage/index.ts';
import { KeyFileError, WrappingKeyFile, openKeyRing } from './platform/keys/index.ts';
import { createLogger } from './platform/logger.ts';
import { type Metrics, createMetrics } from './platform/metrics.ts';
import { type FirstRun, firstRunFileName, openRegistries, writeFirstRun } from './registries/index.ts';
import { upkeepRoutes } from './upkeep/index.ts';
import type { Settings } from './settings/index.ts';

/** A registry that runs. */
export interface RunningServer {
  /** `scheme://host:port` to reach it by from this machine. */
  readonly origin: string;
  readonly loginServer: string;
  readonly dataDir: string;
  readonly keyFile: string;
  readonly firstRunFile: string;
  /** The generated admin password, when this was the start that made it. */
  readonly firstRun: FirstRun | undefined;
  /** Stops accepting, lets requests end within the grace time, closes everything. Safe to call again. */
  stop(): Promise<void>;
}

/**
 * The only place that constructs parts: data folder, lock, database, keys, registry, features, then the port. What was
 * opened is closed again when a later step fails. @throws Refusal
 */
export async function startServer(settings: Settings): Promise<RunningServer> {
  const opened = new AsyncDisposableStack();
  try {
    return await assemble(settings, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw asRefusal(error, settings);
  }
}

async function assemble(settings: Settings, opened: AsyncDisposableStack): Promise<RunningServer> {
  const clock = systemClock;
  const log = createLogger(settings.logLevel);
  const dataDir = resolve(settings.data);
  await prepareDataDir(dataDir);
  if (settings.database === undefined) {
    const lock = acquireDataLock(dataDir);
    opened.defer(() => lock.release());
  }
  const database = opened.adopt(await openDatabaseOf(settings, dataDir, clock.now()), (each) => each.close());
  const keyFile = join(dataDir, 'keys', 'wrapping-key.json');
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(keyFile), clock });
  const store = opened.adopt(openSealedStore(await openStore(settings, dataDir)), (each) => each.close());

  let origin = '';
  const loginServer = (): string => settings.loginServer?.replace(/^https?:\/\//, '') ?? new URL(origin).host;
  const registries = await openRegistries({ database, keys, clock, loginServer, isAnonymousPullEnabled: settings.anonymousPull });
  const access = await createAccess({ database, keys, clock });
  const common = { database, keys, clock, log, garbageDelayMs: settings.garbageDelayMs };
  const blobs = createBlobs({ ...common, store, uploadExpiryMs: settings.uploadExpiryMs });
  const catalog = createCatalog({ ...common, manifestCacheBytes: settings.manifestCacheBytes });
  const collector = createCollector({ database, clock, log, handlers: [...blobs.garbageHandlers, ...catalog.garbageHandlers] });
  const metrics = createMetrics();
  const stopping = new AbortController();
  const checks = { database: () => database.check(), 'blob store': () => store.check(), 'key ring': () => keys.check() };
  const routes = [...blobs.routes, ...catalog.routes, ...access.routes, ...upkeepRoutes({ database, clock, collector, freedParts: blobs.freedParts }), ...healthRoutes({ metrics, isServing: () => !stopping.signal.aborted, checks })];
  const tls = await loadTls(settings, dataDir);
  const http = createHttpServer({
    routes,
    authenticate: access.authenticate,
    challenge: access.challenge,
    resolveRegistry: registries.resolve,
    log,
    limits: limitsOf(settings),
    tls,
    publicHost: settings.loginServer?.replace(/^https?:\/\//, ''),
    trustedProxies: settings.trustedProxies,
    onRequestEnd: (record) => {
      metrics.observeRequest(record.operation, record.method, record.status, record.durationMs / 1000);
      log.info(record, 'request');
    },
  });
  const port = await http.listen({ host: settings.host, port: settings.port });
  opened.defer(() => http.close(settings.graceTimeMs));
  origin = `${tls === undefined ? 'http' : 'https'}://${hostToShow(settings.host)}:${port}`;
  let firstRun: FirstRun | undefined;
  await access.ensureAdmin(registries.local, {
    chosenPassword: settings.adminPassword?.reveal(),
    announce: async (first) => {
      firstRun = { loginServer: loginServer(), ...first };
      await writeFirstRun(dataDir, firstRun);
    },
  });
  measure(metrics, { database, activeUploads: blobs.activeUploads, signInFailures: access.signInFailures, now: () => clock.now() });
  const background = Promise.all([
    collector.run(settings.garbageIntervalMs, stopping.signal),
    expireAgain(() => blobs.expireUploads(stopping.signal), settings.garbageIntervalMs, stopping.signal),
  ]);
  opened.defer(async () => {
    stopping.abort();
    await background;
  });
  return { origin, loginServer: loginServer(), dataDir, keyFile, firstRunFile: join(dataDir, firstRunFileName), firstRun, stop: () => opened.disposeAsync() };
}

async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await checkAccess(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Refusal(`the data folder ${dataDir} cannot be made or written`, 'give the user that runs berth write access to it, or choose another folder with --data', { cause: error });
  }
}

function openDatabaseOf(settings: Settings, dataDir: string, now: number): Promise<Database> {
  const location = settings.database === undefined ? { file: join(dataDir, 'berth.db') } : { url: settings.database };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return openDatabase({ location, now, transactionsModule: new URL(`./transactions.${extension}`, import.meta.url), maxConnections: settings.databaseConnections });
}

function openStore(settings: Settings, dataDir: string): Promise<BlobStore> {
  if (settings.blobStore === 'memory:') return Promise.resolve(openMemoryStore());
  return openFilesystemStore(settings.blobStore === undefined ? join(dataDir, 'parts') : resolve(settings.blobStore.slice('file:'.length)));
}

function limitsOf(settings: Settings): HttpLimits {
  return {
    maxConnections: settings.maxConnections,
    maxRequests: settings.maxRequests,
    maxHeaderBytes: settings.maxHeaderSizeBytes,
    headersTimeoutMs: settings.headersTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    slowBody: { windowMs: settings.stallTimeoutMs, minBytes: settings.minTransferBytes },
  };
}

async function loadTls(settings: Settings, _dataDir: string): Promise<{ readonly key: string; readonly cert: string } | undefined> {
  if (settings.tlsCert === undefined || settings.tlsKey === undefined) return undefined;
  const [cert, key] = await Promise.all([readFile(settings.tlsCert, 'utf8'), readFile(settings.tlsKey, 'utf8')]);
  return { cert, key };
}

function measure(metrics: Metrics, sources: { readonly database: Database; readonly activeUploads: () => number; readonly signInFailures: () => number; readonly now: () => number }): void {
  metrics.gauge('berth_uploads_in_progress', 'Requests that are sending blob bytes now.', sources.activeUploads);
  metrics.gauge('berth_sign_in_failures', 'Wrong passwords since the start.', sources.signInFailures);
  metrics.gauge('berth_garbage_due', 'Candidates of collection that are due.', async () => (await countCandidates(sources.database.read, sources.now())).due);
}

async function expireAgain(expire: () => Promise<number>, pollMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await expire();
    await delay(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** An address that a client on this machine can use. */
function hostToShow(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** Reasons that an operator can remove get one sentence and the next step; anything else is a bug and keeps its stack. */
function asRefusal(error: unknown, settings: Settings): unknown {
  if (error instanceof DataInUseError) return new Refusal(`another process owns the data folder ${error.dataDir}`, 'stop it first, or choose another folder with --data', { cause: error });
  if (error instanceof SchemaTooNewError) return new Refusal(error.message, 'start the newer version of berth that wrote this data', { cause: error });
  if (error instanceof KeyFileError) {
    const [what = '', next = 'put the right key file there'] = error.message.split(': ');
    return new Refusal(what, next, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return new Refusal(`port ${settings.port} on ${settings.host} is taken by another program`, 'stop it, or choose another port with --port', { cause: error });
  if (code === 'EACCES') return new Refusal(`port ${settings.port} may not be opened by this user`, 'choose a port above 1023 with --port', { cause: error });
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new Refusal(`${settings.host} is no address of this machine`, 'choose another with --host', { cause: error });
  return error;
}
