import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { RegistrySession } from './registry-session.ts';
import { type RunningServer, freePort, startBerth } from './servers.ts';

const limitMs = 600_000;
const password = randomBytes(24).toString('hex');
const credentials = { username: 'local', password };

/** Two regions on this machine; the second holds the registry once `replicate` has resolved. */
export class RegionPair {
  readonly east: RunningServer;
  readonly #folder: string;
  readonly #startWest: () => Promise<RunningServer>;
  #west: RunningServer;

  static async open(): Promise<RegionPair> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-bench-regions-'));
    const [eastPort, westPort] = [await freePort(), await freePort()];
    const peers = `east=http://127.0.0.1:${eastPort},west=http://127.0.0.1:${westPort}`;
    const peerKey = randomBytes(32).toString('hex');
    const start = async (region: string, port: number): Promise<RunningServer> => {
      const env = { BERTH_REGION: region, BERTH_PEERS: peers, BERTH_PEER_KEY: peerKey, BERTH_ADMIN_PASSWORD: password };
      const server = await startBerth({ dataDir: join(folder, region), port, env });
      return { ...server, target: { ...server.target, name: region, credentials } };
    };
    await Promise.all(['east', 'west'].map((region) => mkdir(join(folder, region))));
    const startWest = (): Promise<RunningServer> => start('west', westPort);
    return new RegionPair(folder, await start('east', eastPort), { startWest, west: await startWest() });
  }

  constructor(
    folder: string,
    east: RunningServer,
    { startWest, west }: { readonly startWest: () => Promise<RunningServer>; readonly west: RunningServer },
  ) {
    this.#folder = folder;
    this.east = east;
    this.#startWest = startWest;
    this.#west = west;
  }

  get west(): RunningServer {
    return this.#west;
  }

  /** What is done while west is away; it is back when this resolves, and has not yet caught up. */
  async withoutWest(work: () => Promise<void>): Promise<void> {
    await this.#west.stop();
    await work();
    this.#west = await this.#startWest();
  }

  /** Makes west a replica, and waits until it has everything. */
  async replicate(): Promise<void> {
    const owner = JSON.parse(await readFile(join(this.#folder, 'east', 'first-run.json'), 'utf8')) as Record<string, string>;
    const origin = this.east.target.url.origin;
    const signIn = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: owner['clientId'] ?? '',
      client_secret: owner['clientSecret'] ?? '',
      scope: 'https://management.azure.com/.default',
    });
    const token = (await (await fetch(`${origin}/adfs/oauth2/token`, { method: 'POST', body: signIn })).json()) as {
      access_token: string;
    };
    const path = `/subscriptions/${owner['subscriptionId']}/resourceGroups/${owner['resourceGroup']}/providers/Microsoft.ContainerRegistry/registries/local/replications/west?api-version=2025-11-01`;
    const headers = { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' };
    const made = await fetch(origin + path, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ location: 'west', properties: {} }),
    });
    if (made.status >= 300) throw new Error(`the replica was refused: ${made.status} ${await made.text()}`);
    await until(async () => {
      const shown = (await (await fetch(origin + path, { headers })).json()) as {
        properties: { provisioningState: string; status: { displayStatus: string } };
      };
      const { provisioningState, status } = shown.properties;
      return provisioningState === 'Succeeded' && status.displayStatus === 'Ready';
    }, 50);
  }

  /** Resolves when west lists a manifest: it does once everything that it refers to is there. */
  async complete(repository: string, digest: string, lookMs: number): Promise<void> {
    const session = new RegistrySession(this.west.target);
    const scope = `repository:${repository}:metadata_read`;
    const call = { method: 'GET', path: `/acr/v1/${repository}/_manifests/${digest}`, expect: [200, 404] };
    try {
      await until(async () => (await session.call(scope, call)).status === 200, lookMs);
    } finally {
      session.close();
    }
  }

  async dispose(): Promise<void> {
    await Promise.all([this.east.stop(), this.west.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function until(isSo: () => Promise<boolean>, everyMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s`);
    await pause(everyMs);
  }
}
