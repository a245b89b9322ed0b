import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { isIP } from 'node:net';

export interface ListenOptions {
  readonly host: string;
  /** 0: the system chooses one. */
  readonly port: number;
  /** Makes a server that does not listen yet. */
  readonly createServer: () => Server;
}

/** Tries to find a port that is free at every address of a name, when the system chooses. */
const attempts = 5;

/**
 * Listens at every address that a host name has: `localhost` is 127.0.0.1 and ::1, and clients try either. An address
 * that this machine lacks is left out as long as another one is there.
 */
export async function listenAtAll(
  options: ListenOptions,
): Promise<{ readonly servers: readonly Server[]; readonly port: number }> {
  const { host } = options;
  const addresses = isIP(host) === 0 ? [...new Set((await lookup(host, { all: true })).map(({ address }) => address))] : [host];
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listenOnce(options, addresses);
    } catch (error) {
      if (options.port !== 0 || attempt >= attempts || codeOf(error) !== 'EADDRINUSE') throw error;
    }
  }
}

async function listenOnce(
  { port, createServer }: ListenOptions,
  addresses: readonly string[],
): Promise<{ readonly servers: readonly Server[]; readonly port: number }> {
  const servers: Server[] = [];
  let chosen = port;
  let missing: unknown;
  try {
    for (const address of addresses) {
      try {
        const server = await listenAt(createServer(), address, chosen);
        servers.push(server);
        chosen = portOf(server);
      } catch (error) {
        if (codeOf(error) !== 'EADDRNOTAVAIL') throw error;
        missing = error;
      }
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  if (servers.length === 0) throw missing;
  return { servers, port: chosen };
}

function listenAt(server: Server, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
