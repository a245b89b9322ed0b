import { join } from 'node:path';
import { type Tenancy, openTenancy } from './open-tenancy.ts';
import { prepareSignIn } from './prepare-sign-in.ts';
import { type Work, createFeatures } from './create-features.ts';
import { RegistryError } from './errors/index.ts';
import { type HttpLimits, type HttpServer, RateLimiter, createHttpServer, logRequest } from './http/index.ts';
import { startLocalAgent } from './local-agent.ts';
import type { Storage } from './open-storage.ts';
import type { Clock } from './platform/clock.ts';
import type { LateMetrics } from './platform/late-metrics.ts';
import type { Logger } from './platform/logger.ts';
import { repeat } from './platform/repeat.ts';
import { type CertificateSource, openCertificate } from './platform/tls/index.ts';
import { type FirstRun, type Plans, callRatesOf, firstRunFileName } from './registries/index.ts';
import type { Settings } from './settings/index.ts';

const certificateCheckMs = 12 * 3_600_000;

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
  /** Looks at the files of certificates again. */
  reloadCertificate(): Promise<void>;
}

export interface ServiceParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LateMetrics;
}

/**
 * Constructs what serves on top of the storage: features, port, first sign-in, background work. What was opened is
 * pushed to `opened`.
 */
export async function startService(
  settings: Settings,
  opened: AsyncDisposableStack,
  { storage, clock, log, metrics }: ServiceParts,
): Promise<AssembledServer> {
  const { dataDir, database, keys, keyFile } = storage;
  const certificate = await openCertificate({
    ...settings,
    folder: join(dataDir, 'tls'),
    names: certificateNames(settings),
    now: clock.now(),
  });
  const stopping = new AbortController();
  let origin = '';
  const loginServer = (): string => settings.loginServer?.replace(/^https?:\/\//, '') ?? new URL(origin).host;
  const tenancy = await openTenancy(settings, opened, { database, keys, clock, loginServer });
  const { registries, access } = tenancy;
  const announceSignIn = () => prepareSignIn(access, registries, { dataDir, chosenPassword: settings.adminPassword?.reveal() });
  const onLocalRenewed = async (): Promise<void> => {
    const made = await announceSignIn();
    const file = join(dataDir, firstRunFileName);
    log.warn(
      { username: registries.local.name, ...(made !== undefined && { passwordFile: file }) },
      'the default registry is an empty one of this region again; its admin user signs in with the password in that file, or with that of the settings',
    );
  };
  const common = { storage, metrics, clock, log, signal: stopping.signal };
  const work = createFeatures(settings, { ...tenancy, ...common, onLocalRenewed });
  // Closed in reverse order: say that it ends, stop accepting and let requests end, then end background work.
  const loops: Promise<void>[] = [];
  opened.defer(async () => void (await Promise.all([...loops, work.stop()])));

  const started = Promise.withResolvers<void>();
  const http = httpServerOf(settings, { tenancy, work, metrics, clock, log, certificate, ready: started.promise });
  opened.defer(() => http.close(settings.graceTimeMs));
  opened.defer(() => {
    stopping.abort();
    started.reject(new RegistryError('UNAVAILABLE', { message: 'the registry is stopping' }));
  });
  const port = await http.listen({ host: settings.host, port: settings.port });
  origin = `${certificate === undefined ? 'http' : 'https'}://${hostToShow(settings.host)}:${port}`;

  const firstRun = await announceSignIn();
  const reloadCertificate = async (): Promise<void> => {
    const now = clock.now();
    await Promise.all([reloadInto(http, certificate, now), tenancy.peerSettings.certificate?.reload(now)]);
  };
  loops.push(
    ...work.loops(),
    repeat(reloadCertificate, { name: 'renewal of certificates', everyMs: certificateCheckMs, signal: stopping.signal, log }),
  );
  // From here on requests are served; those that came during the start have waited.
  started.resolve();
  // The writer may still be loading; a start that is reported has seen it answer.
  await Promise.all([database.check(), metrics.load()]);
  log.info({ origin, dataDir, engine: database.engine }, 'the server listens');
  if (settings.agent === 'auto') {
    const localAgent = startLocalAgent({
      machines: access.machines,
      registry: () => registries.local,
      origin: origin,
      authorityFile: certificate?.authorityFile,
      folder: join(dataDir, 'agent'),
      log,
    });
    // The first to end, while the server still takes its reports.
    opened.defer(() => localAgent.stop());
  }
  const facts = {
    origin,
    loginServer: loginServer(),
    dataDir,
    keyFile,
    firstRunFile: join(dataDir, firstRunFileName),
    firstRun,
    authorityFile: certificate?.authorityFile,
  };
  const reloadNow = (): Promise<void> =>
    reloadCertificate().catch((error: unknown) =>
      log.error({ err: error }, 'a certificate could not be read again; the one of before is shown'),
    );
  return { facts, http, reloadCertificate: reloadNow };
}

interface HttpParts extends Pick<ServiceParts, 'clock' | 'log' | 'metrics'> {
  readonly tenancy: Tenancy;
  readonly work: Work;
  readonly certificate: CertificateSource | undefined;
  /** Requests that come before it resolves wait. */
  readonly ready: Promise<void>;
}

function httpServerOf(
  settings: Settings,
  { tenancy: { access, registries, peerSettings }, work, metrics, clock, log, certificate, ready }: HttpParts,
): HttpServer {
  return createHttpServer({
    routes: work.guarded([...work.routes, ...access.routes]),
    authenticate: access.authenticate,
    authenticateManagement: access.authenticateManagement,
    challenge: access.challenge,
    resolveRegistry: (host) => registries.resolve(host),
    redirect: work.redirect,
    log,
    limits: limitsOf(settings),
    tls: certificate?.current(),
    regionAuthorities: peerSettings.clientAuthorities,
    publicAddress: settings.loginServer,
    trustedProxies: settings.trustedProxies,
    privateNetworks: settings.privateNetworks,
    rateLimiter: settings.rateLimits === 'plan' ? rateLimiterOf(registries.plans, clock) : undefined,
    ready,
    onRequestEnd: (record, details) => {
      metrics.observeRequest(record);
      work.requestEnded(record, details);
      logRequest(log, record, details.operation);
    },
  });
}

function rateLimiterOf(plans: Plans, clock: Clock): RateLimiter {
  const rates = callRatesOf(plans);
  return new RateLimiter({ clock, ratesOf: (plan) => rates[plan] });
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
  const names = isEveryAddress(host) ? [] : [host];
  if (loginServer === undefined) return names;
  const { hostname } = new URL(loginServer.includes('://') ? loginServer : `https://${loginServer}`);
  return [...names, hostname.replaceAll(/^\[|\]$/g, '')];
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
