import type { Chance } from '../chaos/content.ts';
import { Link, type LinkState } from './link.ts';
import type { RegionOptions } from './region.ts';

export const regionNames = ['east', 'west', 'north'] as const;
export type RegionName = (typeof regionNames)[number];

/** What is between the regions. */
export interface RegionNetwork extends AsyncDisposable {
  /** How a region reaches another one, for as long as the world lasts. */
  addressOf(from: RegionName, to: RegionName): string;
  /** Where a region has to be started. */
  placeOf(name: RegionName): Pick<RegionOptions, 'startedBy' | 'host' | 'port'>;
  /** It runs, and answers there. */
  started(name: RegionName, url: string): void;
  set(from: RegionName, to: RegionName, state: LinkState): Promise<void>;
  heal(): Promise<void>;
}

/** Ports of this process, one for each direction. Takes no rights. */
export class LinkNetwork implements RegionNetwork {
  /** By `from>to`. */
  readonly #links: ReadonlyMap<string, Link>;

  static async open(chance: Chance): Promise<LinkNetwork> {
    const links = new Map<string, Link>();
    for (const from of regionNames)
      for (const to of regionNames) if (from !== to) links.set(`${from}>${to}`, await Link.open(chance));
    return new LinkNetwork(links);
  }

  constructor(links: ReadonlyMap<string, Link>) {
    this.#links = links;
  }

  addressOf(from: RegionName, to: RegionName): string {
    return this.#link(from, to).address;
  }

  placeOf(): Pick<RegionOptions, 'startedBy' | 'host' | 'port'> {
    return {};
  }

  started(name: RegionName, url: string): void {
    const { hostname: host, port } = new URL(url);
    for (const from of regionNames) if (from !== name) this.#link(from, name).lead({ host, port: Number(port) });
  }

  async set(from: RegionName, to: RegionName, state: LinkState): Promise<void> {
    this.#link(from, to).set(state);
  }

  async heal(): Promise<void> {
    for (const link of this.#links.values()) link.set('open');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
  }

  #link(from: RegionName, to: RegionName): Link {
    const link = this.#links.get(`${from}>${to}`);
    if (link === undefined) throw new Error(`there is no link from ${from} to ${to}`);
    return link;
  }
}
