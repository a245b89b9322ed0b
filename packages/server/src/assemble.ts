import { access as checkAccess, constants, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createAccess } from './access/index.ts';
import { createBlobs } from './blobs/index.ts';
import { createCatalog } from './catalog/index.ts';
import { Refusal, RegistryError } from './errors/index.ts';
import { healthRoutes, measure } from './health/index.ts';
import { type HttpLimits, type HttpServer, createHttpServer, logRequest } from './http/index.ts';
import { type BlobStore, openFilesystemStore, openMemoryStore, openSealedStore } from './platform/blob-store/index.ts';
import { systemClock } from './platform/clock.ts';
import { type Database, acquireDataLock, openDatabase } from './platform/database/index.ts';
import { createCollector } from './platform/garbage/index.ts';
import { WrappingKeyFile, openKeyRing } from './platform/keys/index.ts';
import { createLogger } from './platform/logger.ts';
import { createMetrics } from './platform/metrics.ts';
import { repeat } from './platform/repeat.ts';
import { type CertificateSource, openCertificate } from './platform/tls/index.ts';
import { type FirstRun, firstRunFileName, openRegistries, writeFirstRun } from './registries/index.ts';
import { createScrub } from './scrub/index.ts';
import type { Settings } from './settings/index.ts';
import { upkeepRoutes } from './upkeep/index.ts';
import { readVersion } from './version.ts';

/** What a running server is, for whoever started it. */
export interface ServerFacts {
  /** `scheme://host:port` to reach it by from this machine. */
  readonly origin: string;
  readonly loginServer: string;
  readonly dataDir: string;
  readonly keyFile: string;
  readonly firstRunFile: string;
  /** The generated admin password, when this was the start that made it. */
  readonly firstRun: FirstRun | undefined;
  /** PEM file of the local authority, with `--tls auto`. */
  readonly authorityFile: string | undefined;
}

export interface AssembledServer {
  readonly facts: ServerFacts;
  readonly http: HttpServer;
  /** Looks at the certificate's files again. */
  reloadCertificate(): Promise<void>;
}

const certificateCheckMs = 12 * 3_600_000;

/**
 * The only place that constructs parts, in this order: data folder, lock, database, keys, store, features, port, first
 * sign-in. What was opened is pushed to `opened`, to be closed in reverse order, after a failure too.
 */
export async function assemble(settings: Settings, opened: AsyncDisposableStack): Promise<AssembledServer> {
  const clock = systemClock;
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat, region: settings.region });
  const dataDir = resolve(settings.data);
  await prepareDataDir(dataDir);
  if (settings.database === undefined) opened.adopt(acquireDataLock(dataDir), (lock) => lock.release());
  const database = opened.adopt(await openDatabaseOf(settings, dataDir, clock.now(), (error) => log.warn({ err: error }, 'an idle database connection broke')), (each) => each.close());
  const keyFile = join(dataDir, 'keys', 'wrapping-keys.json');
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(keyFile), clock });
  const store = opened.adopt(openSealedStore(await openStore(settings, dataDir)), (each) => each.close());
  const certificate = await openCertificate({ ...settings, folder: join(dataDir, 'tls'), names: certificateNames(settings), now: clock.now() });

  let origin = '';
  const loginServer = (): string => settings.loginServer?.replace(/^https?:\/\//, '') ?? new URL(origin).host;
  const registries = await openRegistries({ database, keys, clock, loginServer, isAnonymousPullEnabled: settings.anonymousPull });
  const access = await createAccess({ database, keys, clock });
  const common = { database, keys, clock, log, garbageDelayMs: settings.garbageDelayMs };
  const blobs = createBlobs({ ...common, store, uploadExpiryMs: settings.uploadExpiryMs });
  const catalog = createCatalog({ ...common, manifestCacheBytes: settings.manifestCacheBytes });
  const scrub = createScrub({ ...common, store });
  const collector = createCollector({ database, clock, log, handlers: [...blobs.garbageHandlers, ...catalog.garbageHandlers] });
  const metrics = createMetrics({ version: readVersion(), region: settings.region });
  measure(metrics, { database, clock, activeUploads: blobs.activeUploads, freedParts: blobs.freedParts, signInFailures: access.signInFailures });

  const stopping = new AbortController();
  const started = Promise.withResolvers<void>();
  const checks = { database: () => database.check(), 'blob store': () => store.check(), 'key ring': () => keys.check() };
  const http = createHttpServer({
    routes: [
      ...blobs.routes,
      ...catalog.routes,
      ...access.routes,
      ...scrub.routes,
      ...upkeepRoutes({ database, clock, collector, freedParts: blobs.freedParts }),
      ...healthRoutes({ metrics, isServing: () => !stopping.signal.aborted, checks, log }),
    ],
    authenticate: access.authenticate,
    challenge: access.challenge,
    resolveRegistry: registries.resolve,
    log,
    limits: limitsOf(settings),
    tls: certificate?.current(),
    publicAddress: settings.loginServer,
    trustedProxies: settings.trustedProxies,
    ready: started.promise,
    onRequestEnd: (record) => {
      metrics.observeRequest(record);
      logRequest(log, record);
    },
  });
  // Closed in reverse order: say that it ends, stop accepting and let requests end, then background work.
  const loops: Promise<void>[] = [];
  opened.defer(async () => void (await Promise.all([...loops, blobs.stop(), scrub.stop()])));
  opened.defer(() => http.close(settings.graceTimeMs));
  opened.defer(() => {
    stopping.abort();
    started.reject(new RegistryError('UNAVAILABLE', { message: 'the registry is stopping' }));
  });
  const port = await http.listen({ host: settings.host, port: settings.port });
  origin = `${certificate === undefined ? 'http' : 'https'}://${hostToShow(settings.host)}:${port}`;

  let firstRun: FirstRun | undefined;
  await access.ensureAdmin(registries.local, {
    chosenPassword: settings.adminPassword?.reveal(),
    announce: async (first) => {
      firstRun = { loginServer: loginServer(), ...first };
      await writeFirstRun(dataDir, firstRun);
    },
  });
  const reloadCertificate = () => reloadInto(http, certificate, clock.now());
  loops.push(
    collector.run(settings.garbageIntervalMs, stopping.signal),
    repeat(() => blobs.expireUploads(stopping.signal), { name: 'expiry of uploads', everyMs: settings.garbageIntervalMs, signal: stopping.signal, log }),
    repeat(reloadCertificate, { name: 'renewal of the certificate', everyMs: certificateCheckMs, signal: stopping.signal, log }),
  );
  // From here on requests are served; those that came during the start have waited.
  started.resolve();
  // The writer may still be loading; a start that is reported has seen it answer.
  await database.check();
  const facts = { origin, loginServer: loginServer(), dataDir, keyFile, firstRunFile: join(dataDir, firstRunFileName), firstRun, authorityFile: certificate?.authorityFile };
  log.info({ origin, dataDir, engine: database.engine }, 'the server listens');
  return { facts, http, reloadCertificate };
}

async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await checkAccess(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Refusal(`the data folder ${dataDir} cannot be made or written`, 'give the user that runs berth write access to it, or choose another folder with --data', { cause: error });
  }
}

function openDatabaseOf(settings: Settings, dataDir: string, now: number, onIdleError: (error: Error) => void): Promise<Database> {
  const location = settings.database === undefined ? { file: join(dataDir, 'berth.db') } : { url: settings.database };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const transactionsModule = new URL(`./transactions.${extension}`, import.meta.url);
  return openDatabase({ location, now, transactionsModule, maxConnections: settings.databaseConnections, onIdleError });
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
    transfer: { windowMs: settings.stallTimeoutMs, minBytes: settings.minTransferBytes },
  };
}

/** Names that clients may use beside those that every machine has. */
function certificateNames({ host, loginServer }: Settings): readonly string[] {
  const publicName = loginServer === undefined ? undefined : new URL(loginServer.includes('://') ? loginServer : `https://${loginServer}`).hostname.replace(/^\[|\]$/g, '');
  return [host, publicName].filter((name) => name !== undefined && !isEveryAddress(name)) as string[];
}

async function reloadInto(http: HttpServer, certificate: CertificateSource | undefined, now: number): Promise<void> {
  if (certificate !== undefined && (await certificate.reload(now))) http.replaceCertificate(certificate.current());
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** An address that a client on this machine can use. */
function hostToShow(host: string): string {
  if (isEveryAddress(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
