import type { BlockList } from 'node:net';
import { isListed, listOfNetworks, parseNetwork } from '../../platform/networks.ts';

/** Which clients are near to which region: `west=10.1.0.0/16`. */
export interface RegionNetwork {
  readonly region: string;
  readonly list: BlockList;
  /** Bits that are fixed: of two networks that hold an address, the smaller one says more. */
  readonly prefix: number;
}

/** The text was checked when the settings were loaded. */
export function parseRegionNetworks(entries: readonly string[]): readonly RegionNetwork[] {
  const networks = entries.flatMap((entry) => {
    const at = entry.indexOf('=');
    const network = parseNetwork(entry.slice(at + 1).trim());
    if (network === undefined) return [];
    const prefix = network.prefix ?? (network.family === 'ipv4' ? 32 : 128);
    return [{ region: entry.slice(0, at).trim().toLowerCase(), list: listOfNetworks([network]), prefix }];
  });
  return networks.toSorted((a, b) => b.prefix - a.prefix);
}

export interface NearestOptions {
  readonly networks: readonly RegionNetwork[];
  readonly clientAddress: string;
  /** This region. */
  readonly here: string;
  readonly home: string;
  /** Regions that clients are sent to and that answer. */
  readonly healthy: ReadonlySet<string>;
}

/**
 * The region that a client should ask: the one that its network is near to; otherwise the one that it came to; otherwise the home
 * region; otherwise any. Undefined: none is healthy, and the client stays where it is.
 */
export function nearestRegion({ networks, clientAddress, here, home, healthy }: NearestOptions): string | undefined {
  const near = networks.filter(({ list }) => isListed(list, clientAddress)).map(({ region }) => region);
  return [...near, here, home, ...healthy].find((region) => healthy.has(region));
}
