import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ManagerClient, readOwner } from '@berth/testkit';
import { Chance } from '../chaos/content.ts';
import { Link } from './link.ts';
import { Region } from './region.ts';

export const regionNames = ['east', 'west', 'north'] as const;
export type RegionName = (typeof regionNames)[number];

export interface WorldOptions {
  readonly seed?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly clockOffSeconds?: Readonly<Partial<Record<RegionName, number>>>;
  /** Which of them hold the registry, in the order in which they are made replicas. Default: all. */
  readonly replicas?: readonly RegionName[];
}

const readyMs = 60_000;

/** Three regions that hold the registry `local`, whose home is east. */
export class RegionWorld implements AsyncDisposable {
  readonly regions: Readonly<Record<RegionName, Region>>;
  readonly folder: string;
  /** By `from>to`. */
  readonly #links: ReadonlyMap<string, Link>;

  static async open(options: WorldOptions = {}): Promise<RegionWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-regions-'));
    const chance = new Chance(options.seed ?? 1);
    const links = new Map<string, Link>();
    for (const from of regionNames)
      for (const to of regionNames) if (from !== to) links.set(`${from}>${to}`, await Link.open(chance));
    const world = new RegionWorld(folder, links, options);
    try {
      await Promise.all(regionNames.map((name) => world.start(name)));
      for (const name of options.replicas ?? (['west', 'north'] as const)) await world.replicate(name);
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  constructor(folder: string, links: ReadonlyMap<string, Link>, { settings = {}, clockOffSeconds = {} }: WorldOptions) {
    this.folder = folder;
    this.#links = links;
    const regionOf = (name: RegionName): Region =>
      new Region({
        name,
        folder,
        clockOffSeconds: clockOffSeconds[name] ?? 0,
        settings: {
          peers: regionNames
            .filter((each) => each !== name)
            .map((each) => `${each}=${this.link(name, each).address}`)
            .join(','),
          peerKey: 'the key that three regions of a test share',
          ...settings,
        },
      });
    this.regions = { east: regionOf('east'), west: regionOf('west'), north: regionOf('north') };
  }

  link(from: RegionName, to: RegionName): Link {
    const link = this.#links.get(`${from}>${to}`);
    if (link === undefined) throw new Error(`there is no link from ${from} to ${to}`);
    return link;
  }

  /** Starts a region, or starts it again: its port is another one then. */
  async start(name: RegionName): Promise<void> {
    const region = this.regions[name];
    await region.start();
    const { hostname, port } = new URL(region.server.url);
    for (const from of regionNames) if (from !== name) this.link(from, name).lead({ host: hostname, port: Number(port) });
  }

  heal(): void {
    for (const link of this.#links.values()) link.set('open');
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
      if (performance.now() > end) assert.fail(`${what}: not within ${limitMs / 1000} s: ${lacks}`);
      await pause(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(regionNames.map((name) => this.regions[name].kill()));
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
