import type { TestContext } from 'node:test';
import type { Fact, Stamp } from '@berth/api';
import { pino } from 'pino';
import { createBlobs } from '../../blobs/index.ts';
import { createCatalog } from '../../catalog/index.ts';
import type { openMemoryStore, openSealedStore } from '../../platform/blob-store/index.ts';
import type { Database } from '../../platform/database/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { defaultPolicies } from '../../tenancy/policies.ts';
import { testRegistry } from '../../tenancy/test-registry.ts';
import type { Peers } from '../peers/model.ts';
import { type ReadThrough, createReadThrough } from '../read-through/index.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { createCopying } from './index.ts';

export const registryName = 'shared';
let lastClock = 1_700_000_000_000 * 1024;

/** Each is later than the one before. */
export function nextStamp(origin: string): Stamp {
  lastClock += 1;
  return { clock: lastClock, origin };
}

export interface RegionOptions {
  readonly copies?: number;
  readonly rateBytes?: number;
  /** Clients that were there once stay, and leave no more than this to copies. */
  readonly busyRateBytes?: number;
  readonly garbageDelayMs?: number;
  readonly partBytes?: number;
  /** What the registry may store of what clients push. */
  readonly limitBytes?: number;
  /** How long a miss may take. */
  readonly askMs?: number;
  /** Of the registry there. */
  readonly policies?: Partial<Registry['policies']>;
}

/** What outlives a process. */
export interface Ground<Region> {
  readonly t: TestContext;
  readonly name: string;
  readonly others: readonly string[];
  readonly database: Database;
  readonly keys: ReplicationContext['keys'];
  readonly clock: { aheadMs: number; now(): number };
  readonly files: ReturnType<typeof openMemoryStore>;
  readonly store: ReturnType<typeof openSealedStore>;
  readonly registryId: number;
  readonly regions: Map<string, Region>;
  readonly facts: Map<string, readonly Fact[]>;
}

type Parts = Pick<Ground<unknown>, 'database' | 'keys' | 'clock' | 'store' | 'registryId'> & { readonly peers: Peers };

/** The parts of one process of a region. */
export function partsOf({ database, keys, clock, store, registryId, peers }: Parts, options: RegionOptions) {
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const { garbageDelayMs = 86_400_000, limitBytes, partBytes, askMs, policies } = options;
  const common = { database, keys, clock, log, garbageDelayMs };
  const stopping = new AbortController();
  // Called once requests come: by then there is one.
  const elsewhere = (): ReadThrough => readThrough;
  const blobs = createBlobs({
    ...common,
    store,
    uploadExpiryMs: 86_400_000,
    limitOf: () => limitBytes,
    elsewhere: { find: (blob) => elsewhere().blobs.find(blob), damaged: (id) => copying.repair(id) },
  });
  const catalog = createCatalog({
    ...common,
    readBlob: blobs.read,
    manifestCacheBytes: 1 << 20,
    elsewhere: {
      newer: (of) => elsewhere().catalog.newer(of),
      missing: (of) => elsewhere().catalog.missing(of),
      remove: (of, request) => elsewhere().catalog.remove(of, request),
      bring: (of, signal) => elsewhere().catalog.bring(of, signal),
    },
  });
  const registry = testRegistry({
    id: registryId,
    name: registryName,
    isReplicated: true,
    policies: { ...defaultPolicies, ...policies },
  });
  const context: ReplicationContext = {
    ...common,
    catalog,
    blobs,
    peers,
    signal: stopping.signal,
    ...surroundings(registry, options),
  };
  const copying = createCopying(context, {
    ...(partBytes !== undefined && { partBytes }),
    giveWay: { now: () => 0, mostBytesPerSecond: options.busyRateBytes ?? 0 },
  });
  const readThrough = createReadThrough(copying.context, askMs === undefined ? {} : { askMs });
  return { logged, stopping, blobs, catalog, registry, context, copying, readThrough };
}

/** What the parts of a region know of the rest of the program. */
function surroundings(
  registry: Registry,
  { garbageDelayMs = 86_400_000, copies = 6, rateBytes = 0, busyRateBytes = 0 }: RegionOptions,
): Pick<ReplicationContext, 'registries' | 'metrics' | 'settings' | 'bells'> {
  const pendingListeners: ((registryId: number) => void)[] = [];
  return {
    registries: {
      all: () => [registry],
      byId: (id) => (id === registry.id ? registry : undefined),
      byName: () => registry,
      local: registry,
      refresh: async () => undefined,
      ids: { tenantId: 't', subscriptionId: 's' },
    },
    metrics: { gauge: () => undefined, gauges: () => undefined, counter: () => undefined },
    settings: {
      replicationRateBytes: rateBytes,
      replicationBusyRateBytes: busyRateBytes,
      replicationCopies: copies,
      changeRetentionMs: 1e9,
      tombstoneRetentionMs: 1e9,
      maxClockSkewMs: 3_600_000,
      garbageDelayMs,
      garbageIntervalMs: 60_000,
    },
    bells: {
      changed: () => undefined,
      tagsMoved: () => undefined,
      replicas: () => undefined,
      onReplicas: () => undefined,
      pending: (id) => pendingListeners.forEach((listener) => listener(id)),
      onPending: (listener) => void pendingListeners.push(listener),
    },
  };
}
