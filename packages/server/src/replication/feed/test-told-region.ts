import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import {
  type DatabaseLocation,
  ManagerClient,
  RegistryClient,
  type StartedRegistry,
  type TestEngine,
  readOwner,
  startRegistry,
} from '@berth/testkit';
import { createLogger } from '../../platform/logger.ts';
import { regionKeysOf, signRegionToken } from '../../platform/region-keys/index.ts';
import type { CertificateSource } from '../../platform/tls/index.ts';
import { createPeers } from '../peers/create-peers.ts';
import type { Peer } from '../peers/model.ts';

const peerKey = 'a key of the regions which is long enough';
export const signal = new AbortController().signal;

/** A real server, `west`, whose registry `local` the region `east` is to hold, too; and what east asks it with. */
export interface ToldRegion {
  readonly west: StartedRegistry;
  readonly client: RegistryClient;
  readonly manager: ManagerClient;
  readonly peer: Peer;
  /** Asks as a region of this name, perhaps with another key, clock or name of the other side. */
  as(region: string, how?: AskAs): Peer;
  replicate(region: string): Promise<void>;
}

export interface AskAs {
  readonly key?: string;
  readonly to?: string;
  readonly clock?: { now(): number };
  readonly authorities?: string;
  readonly certificate?: CertificateSource;
}

/** `settings`: of the server, beside its own. */
export async function startTold(
  engine: TestEngine,
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<ToldRegion> {
  const location = await engine.createLocation(t);
  // Nobody listens there: this test asks in the place of both.
  const peers = 'east=http://127.0.0.1:1,north=http://127.0.0.1:1';
  const west = await startRegistry({ settings: { region: 'west', peers, peerKey, ...databaseOf(location), ...settings } });
  t.after(() => west.stop());
  const client = new RegistryClient(west);
  const manager = new ManagerClient(west.url, await readOwner(west.dataDir));
  t.after(() => {
    client[Symbol.dispose]();
    manager[Symbol.dispose]();
  });
  const as = (
    region: string,
    { key = peerKey, to = 'west', clock = { now: () => Date.now() }, authorities, certificate }: AskAs = {},
  ): Peer => {
    const keys = regionKeysOf(key);
    assert.ok(typeof keys !== 'string');
    const log = createLogger({ level: 'silent', format: 'json', region });
    const others = [{ name: to, address: west.url }];
    const asking = createPeers({ region, others, keys, authorities, certificate, maxClockSkewMs: 86_400_000 }, { clock, log });
    t.after(() => asking.close());
    const [peer] = asking.all();
    assert.ok(peer !== undefined);
    return peer;
  };
  const replicate = async (region: string): Promise<void> => {
    const body = { location: region, properties: {} };
    const answer = await manager.call('PUT', manager.provider(`registries/local/replications/${region}`), body);
    assert.ok(answer.status === 200 || answer.status === 201, answer.body.toString());
  };
  return { west, client, manager, peer: as('east'), as, replicate };
}

/** How a region signs in at west. */
export async function authorizationOf(region: string): Promise<string> {
  const keys = regionKeysOf(peerKey);
  assert.ok(typeof keys !== 'string');
  const token = await signRegionToken(keys[0], { from: region, to: 'west', now: Date.now() });
  return `Basic ${Buffer.from(`$region:${token}`).toString('base64')}`;
}

function databaseOf(location: DatabaseLocation): Readonly<Record<string, string>> {
  return 'url' in location ? { database: location.url } : {};
}

/** Asks again while registers are being made. */
export async function whenReady<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 200 || !/503/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
