import type { ReplicaStatus } from '@berth/api';
import { Recent } from '../../platform/recent.ts';
import type { Registry } from '../../tenancy/index.ts';
import { PeerError, type Peers } from '../peers/model.ts';

export interface RegionStatusesOptions {
  readonly peers: Peers;
  readonly own: (registry: Registry) => Promise<ReplicaStatus>;
  readonly now: () => number;
}

/** Whoever watches asks twice a second; the regions need not answer each time. */
const keptMs = 400;
const patienceMs = 3_000;
const maxKept = 1_000;

/** How far regions are with registries, asked of each. */
export class RegionStatuses {
  readonly #options: RegionStatusesOptions;
  readonly #kept = new Recent<{ readonly at: number; readonly status: Promise<ReplicaStatus> }>({ maxEntries: maxKept });

  constructor(options: RegionStatusesOptions) {
    this.#options = options;
  }

  own(registry: Registry): Promise<ReplicaStatus> {
    return this.#options.own(registry);
  }

  /** Of another region; one that does not answer is `unreachable`, with the reason. Never rejects. */
  of(registry: Registry, region: string): Promise<ReplicaStatus> {
    const { peers, now } = this.#options;
    if (region.toLowerCase() === peers.region.toLowerCase()) return this.own(registry);
    const key = `${registry.id} ${region.toLowerCase()}`;
    const known = this.#kept.get(key);
    if (known !== undefined && now() - known.at < keptMs) return known.status;
    const status = this.#ask(registry, region);
    this.#kept.set(key, { at: now(), status });
    return status;
  }

  async #ask(registry: Registry, region: string): Promise<ReplicaStatus> {
    const peer = this.#options.peers.byName(region);
    if (peer === undefined)
      return unreachable(region, registry, {
        problem: `no address is known for the region ${region}`,
        remedy: 'add it to the setting peers of this deployment',
      });
    try {
      const answer = await peer.status(registry.name, AbortSignal.timeout(patienceMs));
      return { ...answer, endpoint: answer.endpoint === '' ? peer.address : answer.endpoint };
    } catch (error) {
      if (error instanceof PeerError && error.kind === 'not-here') return notMade(region, registry);
      const why =
        error instanceof PeerError
          ? { problem: error.message, remedy: error.remedy }
          : { problem: `${region} did not answer in time`, remedy: 'look whether it runs and can be reached' };
      return unreachable(region, registry, why);
    }
  }
}

/** It answers, and has not yet heard that it is to hold the registry, or made it. */
function notMade(region: string, registry: Registry): ReplicaStatus {
  const why = {
    problem: `${region} has not made its replica yet`,
    remedy: `wait some seconds; if it goes on, look at the log of ${region}`,
  };
  return { ...unreachable(region, registry, why), state: 'syncing' };
}

function unreachable(
  region: string,
  registry: Registry,
  why: { readonly problem: string; readonly remedy: string },
): ReplicaStatus {
  return {
    region,
    isHome: registry.homeRegion?.toLowerCase() === region.toLowerCase(),
    isEndpointEnabled: true,
    endpoint: '',
    state: 'unreachable',
    manifests: { complete: 0, pending: 0 },
    bytes: { copied: 0, pending: 0, perSecond: 0 },
    conflictsResolved: 0,
    damagedAnswers: 0,
    feeds: [],
    ...why,
  };
}
