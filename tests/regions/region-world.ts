import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ManagerClient, readOwner } from '@berth/testkit';
import { Chance } from '../chaos/content.ts';
import { Region } from './region.ts';
import { LinkNetwork, type RegionName, type RegionNetwork, regionNames } from './region-network.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly clockOffSeconds?: Readonly<Partial<Record<RegionName, number>>>;
  /** Which hold the registry beside its home region, in the order in which they are made replicas. Default: both. */
  readonly replicas?: readonly RegionName[];
  /** Default: ports of this process. */
  readonly network?: RegionNetwork;
}

const readyMs = 120_000;

/** Three regions that hold the registry `local`, whose home is east. */
export class RegionWorld implements AsyncDisposable {
  readonly regions: Readonly<Record<RegionName, Region>>;
  readonly folder: string;
  readonly network: RegionNetwork;

  static async open(options: WorldOptions = {}): Promise<RegionWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-regions-'));
    const network = options.network ?? (await LinkNetwork.open(new Chance(options.seed ?? 1)));
    const world = new RegionWorld(folder, network, options);
    try {
      await Promise.all(regionNames.map((name) => world.start(name)));
      for (const name of options.replicas ?? (['west', 'north'] as const)) await world.replicate(name);
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  constructor(folder: string, network: RegionNetwork, { settings = {}, clockOffSeconds = {} }: WorldOptions) {
    this.folder = folder;
    this.network = network;
    const regionOf = (name: RegionName): Region =>
      new Region({
        name,
        folder,
        clockOffSeconds: clockOffSeconds[name] ?? 0,
        settings: {
          peers: regionNames
            .filter((each) => each !== name)
            .map((each) => `${each}=${network.addressOf(name, each)}`)
            .join(','),
          peerKey: 'the key that three regions of a test share',
          ...settings,
        },
        ...network.placeOf(name),
      });
    this.regions = { east: regionOf('east'), west: regionOf('west'), north: regionOf('north') };
  }

  /** Starts a region, or starts it again: its port is another one then. */
  async start(name: RegionName): Promise<void> {
    const region = this.regions[name];
    await region.start();
    this.network.started(name, region.server.url);
  }

  /** Makes a region hold the registry, and waits until it lets the registry's users in and says that it is ready. */
  async replicate(name: RegionName): Promise<void> {
    using manager = await this.manager('east');
    const made = await manager.call('PUT', manager.provider(`registries/local/replications/${name}`), {
      location: name,
      properties: {},
    });
    assert.ok(made.status === 200 || made.status === 201, `${made.status}: ${made.body}`);
    await this.until(`${name} holds the registry`, async () => {
      const shown = await manager.call('GET', manager.provider(`registries/local/replications/${name}`));
      const { provisioningState, status } = (
        shown.json as { properties: { provisioningState: string; status: { displayStatus: string; message: string } } }
      ).properties;
      return provisioningState === 'Succeeded' && status.displayStatus === 'Ready' ? undefined : JSON.stringify(status);
    });
  }

  async manager(name: RegionName): Promise<ManagerClient> {
    const { server } = this.regions[name];
    return new ManagerClient(server.url, await readOwner(server.dataDir));
  }

  /** Looks again and again until nothing is missing. @throws AssertionError with what was, at the end */
  async until(what: string, missing: () => Promise<string | undefined>, limitMs = readyMs): Promise<void> {
    const end = performance.now() + limitMs;
    for (;;) {
      const lacks = await missing();
      if (lacks === undefined) return;
      if (performance.now() > end)
        assert.fail(`${what}: not within ${limitMs / 1000} s: ${lacks}\n${(await this.#statuses()).join('\n')}`);
      await pause(20);
    }
  }

  /** What each region says of all, for whoever has to find out why. */
  async #statuses(): Promise<readonly string[]> {
    const running = regionNames.map((name) => this.regions[name]).filter(({ isRunning }) => isRunning);
    return Promise.all(
      running.map(async ({ name, client }) => `${name}: ${(await client.request('GET', '/berth/v1/replication')).body}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(regionNames.map((name) => this.regions[name].kill()));
    await this.network[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
