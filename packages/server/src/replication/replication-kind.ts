import type { ReplicaStatus } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Database } from '../platform/database/index.ts';
import { type Plans, requireRoomFor } from '../registries/index.ts';
import { type ChildKind, invalid } from '../resources/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { Peers } from './peers/model.ts';
import { beginReplication, endReplication } from './replicas/begin-replication.ts';
import { regionKey } from './replicas/queries.ts';
import { provisioningState, resourceStatus } from './replicas/resource-status.ts';

export interface ReplicationProperties {
  readonly regionEndpointEnabled: boolean;
  readonly zoneRedundancy: 'Enabled' | 'Disabled';
}

export interface ReplicationKindOptions {
  readonly database: Database;
  readonly peers: Pick<Peers, 'region' | 'all'>;
  readonly plans: Plans;
  /** How far a region is with a registry; never rejects. */
  readonly statusOf: (registry: Registry, region: string) => Promise<ReplicaStatus>;
  /** Which regions hold a registry has changed. */
  readonly onChange: (registry: Registry) => Promise<void>;
}

/**
 * Replications as resources (acr-api 3.3, 6.13): the regions that hold a registry, its home region among them. Names may be as
 * regions are called here: shorter than ACR's, and with hyphens.
 */
export function replicationKind(options: ReplicationKindOptions): ChildKind<ReplicationProperties> {
  const { database, peers, plans, statusOf, onChange } = options;
  const isHome = (location: string | null): boolean => regionKey(location ?? '') === regionKey(peers.region);
  return {
    collection: 'replications',
    word: 'replication',
    nameRule: { pattern: /^[A-Za-z0-9-]{1,50}$/, words: '1 to 50 letters, digits and hyphens' },
    isTracked: true,
    create: async (properties, { registry, name, document, now }) => {
      const wanted = {
        regionEndpointEnabled: properties.boolean('regionEndpointEnabled') ?? true,
        zoneRedundancy: properties.oneOf('zoneRedundancy', ['Enabled', 'Disabled']) ?? 'Disabled',
      };
      requireRoomFor(plans, registry.plan, { kind: 'replications', current: 0 });
      const region = requireOtherRegion(peers, document?.text('location') ?? '', name);
      const of = { registryId: registry.id, registry: registry.name, home: peers.region };
      await database.write(beginReplication, { ...of, region, name, now });
      await onChange(registry);
      return wanted;
    },
    update: (before, properties) => ({
      ...before,
      regionEndpointEnabled: properties.boolean('regionEndpointEnabled') ?? before.regionEndpointEnabled,
    }),
    show: async ({ properties, location, createdAt }, { registry, now }) => {
      const status = await statusOf(registry, location ?? '');
      return {
        ...properties,
        provisioningState: provisioningState(status, { ageMs: now - createdAt }),
        status: resourceStatus(status, now),
      };
    },
    requireDeletable: ({ name, location }, { registry }) => {
      if (registry.homeRegion === undefined && isHome(location))
        throw new RegistryError('CONFLICT', {
          message: `${name} is the home region of the registry ${registry.name} and stays as long as the registry does`,
        });
    },
    remove: async ({ name, location }, { registry, now }) => {
      const of = { registryId: registry.id, registry: registry.name, home: peers.region };
      const wasThere = await database.write(endReplication, { ...of, name, region: location ?? '', now });
      await onChange(registry);
      return wasThere;
    },
  };
}

/** The region by its own name. @throws INVALID_PARAMETER, CONFLICT */
function requireOtherRegion(peers: Pick<Peers, 'region' | 'all'>, location: string, name: string): string {
  const wanted = regionKey(location);
  for (const here of [wanted, regionKey(name)])
    if (here === regionKey(peers.region))
      throw new RegistryError('CONFLICT', {
        message: `${peers.region} is the home region of the registry, which holds it already`,
      });
  const found = peers.all().find((peer) => regionKey(peer.name) === wanted);
  if (found !== undefined) return found.name;
  const known = peers.all().map((peer) => peer.name);
  throw invalid(
    'location',
    known.length === 0
      ? `must be another region of this deployment, and it knows none: name them in the setting peers (BERTH_PEERS)`
      : `must be another region of this deployment, not ${JSON.stringify(location.slice(0, 64))}: ${known.join(', ')}`,
  );
}
