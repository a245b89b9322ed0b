import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/index.ts';
import { Recent } from '../../platform/recent.ts';
import { childrenAfter } from '../../resources/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { Peers } from '../peers/model.ts';

export interface RoutedRegionsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly peers: Peers;
}

/** So late a change of a region's routing counts; whether it answers counts at once. */
const keptMs = 1_000;
const maxRegistries = 10_000;
const maxRegions = 100;

/** Which regions clients of a registry may be sent to. Names in lower case. */
export class RoutedRegions {
  readonly #options: RoutedRegionsOptions;
  readonly #kept = new Recent<{ readonly at: number; readonly regions: Promise<readonly string[]> }>({
    maxEntries: maxRegistries,
  });

  constructor(options: RoutedRegionsOptions) {
    this.#options = options;
  }

  home(registry: Registry): string {
    return (registry.homeRegion ?? this.#options.peers.region).toLowerCase();
  }

  /** Routed, and answering as of the last time that they were asked. */
  async healthy(registry: Registry): Promise<ReadonlySet<string>> {
    const { peers } = this.#options;
    const routed = await this.#routed(registry);
    return new Set(routed.filter((region) => region === peers.region.toLowerCase() || peers.byName(region)?.isUp === true));
  }

  #routed(registry: Registry): Promise<readonly string[]> {
    const now = this.#options.clock.now();
    const key = String(registry.id);
    const known = this.#kept.get(key);
    if (known !== undefined && Math.abs(now - known.at) < keptMs) return known.regions;
    const regions = this.#read(registry);
    this.#kept.set(key, { at: now, regions });
    return regions;
  }

  async #read(registry: Registry): Promise<readonly string[]> {
    const page = { registryId: registry.id, kind: 'replications', after: '', limit: maxRegions };
    const replications = await childrenAfter(this.#options.database.read, page);
    const home = this.home(registry);
    const enabled = new Map([[home, true]]);
    for (const { location, properties } of replications)
      if (location !== null) enabled.set(location.toLowerCase(), isEnabled(properties));
    return [...enabled].filter(([, isRouted]) => isRouted).map(([region]) => region);
  }
}

function isEnabled(properties: unknown): boolean {
  return (properties as { readonly regionEndpointEnabled?: boolean }).regionEndpointEnabled !== false;
}
