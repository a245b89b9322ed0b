import assert from 'node:assert/strict';
import { type RequestListener, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createLogger } from '../../platform/logger.ts';
import { regionKeysOf } from '../../platform/region-keys/index.ts';
import { createPeers } from './create-peers.ts';
import { type Peer, PeerError } from './model.ts';
import type { PeerLimits } from './peer-connection.ts';

export const now = 1_800_000_000_000;
export const key = 'a key of the regions which is long enough';
export const signal = new AbortController().signal;

export interface StrangeRegion {
  readonly url: string;
  /** Requests that came. */
  readonly seen: { readonly url: string; readonly authorization: string }[];
  readonly connections: () => number;
}

/** A region that answers as the test wants. */
export async function serveRegion(
  t: TestContext,
  answer: RequestListener,
  tls?: { readonly key: string; readonly cert: string },
): Promise<StrangeRegion> {
  const seen: { url: string; authorization: string }[] = [];
  const listener: RequestListener = (request, response) => {
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '' });
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}`, seen, connections: () => connections };
}

export interface AskOptions {
  readonly peerKey?: string;
  readonly authorities?: string;
  readonly limits?: Partial<PeerLimits>;
  readonly clock?: { now(): number };
}

/** The peer `west` at an address, asked by `east`. */
export function peerAt(t: TestContext, address: string, options: AskOptions = {}): Peer {
  const { peerKey = key, authorities, limits, clock = { now: () => now } } = options;
  const keys = regionKeysOf(peerKey);
  assert.ok(typeof keys !== 'string');
  const log = createLogger({ level: 'silent', format: 'json', region: 'east' });
  const settings = {
    region: 'east',
    others: [{ name: 'west', address }],
    keys,
    authorities,
    certificate: undefined,
    maxClockSkewMs: 60_000,
  };
  const peers = createPeers(settings, { clock, log, ...(limits && { limits }) });
  t.after(() => peers.close());
  const peer = peers.byName('West');
  assert.ok(peer !== undefined);
  return peer;
}

/** Rejects with a `PeerError` of this kind that names the region and says what to do. */
export async function failure(promise: Promise<unknown>, kind: PeerError['kind']): Promise<PeerError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof PeerError, `expected ${kind}, got ${String(error)}`);
  assert.equal(error.kind, kind, error.message);
  assert.equal(error.region, 'west');
  assert.match(error.message, /west/);
  assert.notEqual(error.remedy, '');
  assert.doesNotMatch(error.message + error.remedy, new RegExp(key));
  return error;
}

export function json(value: unknown, status = 200): RequestListener {
  return (_, response) => {
    const text = JSON.stringify(value);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
  };
}

export function refusalOf(code: string, status: number, detail?: unknown): RequestListener {
  return json({ errors: [{ code, message: 'no', detail }] }, status);
}
