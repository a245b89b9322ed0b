import { defaultPolicies } from './policies.ts';
import type { Registry } from './registry.ts';

/** A registry as it is when nobody has changed anything, for tests. */
export function testRegistry(changes: Partial<Registry> = {}): Registry {
  const name = changes.name ?? 'local';
  return {
    id: 1,
    name,
    isDefault: name === 'local',
    loginServer: 'registry.example',
    resourceId: `/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/berth/providers/Microsoft.ContainerRegistry/registries/${name}`,
    plan: 'Premium',
    isAnonymousPullEnabled: false,
    roleMode: 'LegacyRegistryPermissions',
    network: { isPublicAccessEnabled: true, defaultAction: 'Allow', allowed: [] },
    policies: defaultPolicies,
    ...changes,
  };
}
