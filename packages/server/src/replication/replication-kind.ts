import { RegistryError } from '../errors/index.ts';
import type { ChildKind } from '../resources/index.ts';

interface ReplicationProperties {
  readonly regionEndpointEnabled: boolean;
  readonly zoneRedundancy: 'Enabled' | 'Disabled';
}

/** Replications as resources (acr-api 3.3, 6.13): the regions that shall hold a registry, too. `region`: this one, their home. */
export function replicationKind(region: string): ChildKind<ReplicationProperties> {
  return {
    collection: 'replications',
    word: 'replication',
    nameRule: { pattern: /^[A-Za-z0-9]{5,50}$/, words: '5 to 50 letters and digits' },
    isTracked: true,
    create: (properties, { name }) => {
      if (name.toLowerCase() === region.toLowerCase())
        throw new RegistryError('CONFLICT', { message: `${name} is the home region of the registry, which holds it already` });
      return {
        regionEndpointEnabled: properties.boolean('regionEndpointEnabled') ?? true,
        zoneRedundancy: properties.oneOf('zoneRedundancy', ['Enabled', 'Disabled']) ?? 'Disabled',
      };
    },
    update: (before, properties) => ({
      ...before,
      regionEndpointEnabled: properties.boolean('regionEndpointEnabled') ?? before.regionEndpointEnabled,
    }),
    show: ({ properties }, { now }) => ({
      ...properties,
      status: {
        displayStatus: 'Pending',
        message: 'Replication between regions is not part of this version.',
        timestamp: new Date(now).toISOString(),
      },
    }),
  };
}
