import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnRegistry } from '@berth/testkit';

export type Transport = 'http' | 'tls';
export const transports: readonly Transport[] = ['http', 'tls'];

/** The registry that clients are tried against. */
export interface Target {
  readonly transport: Transport;
  readonly origin: string;
  /** Host and port, as image names begin. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** PEM file of the authority to trust; only with TLS. */
  readonly authorityFile: string | undefined;
  /** Of the server, where it is ours. */
  readonly dataDir: string | undefined;
  stop(): Promise<void>;
}

/**
 * A server process of its own. BERTH_CLIENTS_HTTP and BERTH_CLIENTS_TLS (`https://user:password@host:port`, with
 * BERTH_CLIENTS_AUTHORITY as its PEM file) name another registry to try instead: it tells whose fault a failure is.
 */
export async function startTarget(transport: Transport): Promise<Target> {
  const other = process.env[transport === 'http' ? 'BERTH_CLIENTS_HTTP' : 'BERTH_CLIENTS_TLS'];
  if (other !== undefined) return otherRegistry(transport, new URL(other));
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-clients-'));
  const server = await spawnRegistry({ dataDir, settings: transport === 'tls' ? { tls: 'auto' } : {} });
  return {
    transport,
    origin: server.url,
    host: server.host,
    username: server.username,
    password: server.password,
    authorityFile: transport === 'tls' ? join(dataDir, 'tls', 'authority.pem') : undefined,
    dataDir,
    stop: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function otherRegistry(transport: Transport, url: URL): Target {
  return {
    transport,
    origin: url.origin,
    host: url.host,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    authorityFile: transport === 'tls' ? process.env['BERTH_CLIENTS_AUTHORITY'] : undefined,
    dataDir: undefined,
    stop: async () => {},
  };
}
