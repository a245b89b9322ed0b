import { type RegistryRecord, registryProvider, registryResourceId } from '../registries/index.ts';
import type { ArmContext } from './arm-context.ts';
import { systemData } from './system-data.ts';

interface Shown {
  readonly loginServer: string;
  readonly isAdminEnabled: boolean;
}

/** A registry as clients of every version read it: the newest shape, with what older ones knew (acr-api 3.3). */
export function registryDocument({ registries, region }: ArmContext, record: RegistryRecord, shown: Shown): object {
  const { properties, plan } = record;
  return {
    id: registryResourceId(registries.ids.subscriptionId, record),
    name: record.name,
    type: registryProvider,
    location: record.location,
    tags: record.tags,
    sku: { name: plan, tier: plan },
    systemData: systemData(record),
    properties: {
      loginServer: shown.loginServer,
      creationDate: new Date(record.createdAt).toISOString(),
      provisioningState: 'Succeeded',
      adminUserEnabled: shown.isAdminEnabled,
      anonymousPullEnabled: record.isAnonymousPullEnabled,
      ...defaults,
      ...properties,
      networkRuleSet: { defaultAction: 'Allow', ipRules: [], ...properties.networkRuleSet },
      policies: policiesDocument(record),
      dataEndpointHostNames:
        properties.dataEndpointEnabled === true ? [dataEndpoint(record.name, region, shown.loginServer)] : [],
      privateEndpointConnections: [],
    },
  };
}

const defaults = {
  publicNetworkAccess: 'Enabled',
  networkRuleBypassOptions: 'AzureServices',
  networkRuleBypassAllowedForTasks: false,
  dataEndpointEnabled: false,
  zoneRedundancy: 'Disabled',
  roleAssignmentMode: 'LegacyRegistryPermissions',
  metadataSearch: 'Disabled',
  encryption: { status: 'disabled' },
} as const;

function policiesDocument({ properties: { policies = {} }, createdAt }: RegistryRecord): object {
  const lastUpdatedTime = new Date(createdAt).toISOString();
  return {
    quarantinePolicy: { status: 'disabled', ...policies.quarantinePolicy },
    trustPolicy: { type: 'Notary', status: 'disabled', ...policies.trustPolicy },
    retentionPolicy: { days: 7, lastUpdatedTime, status: 'disabled', ...policies.retentionPolicy },
    exportPolicy: { status: 'enabled', ...policies.exportPolicy },
    azureADAuthenticationAsArmPolicy: { status: 'enabled', ...policies.azureADAuthenticationAsArmPolicy },
    softDeletePolicy: { retentionDays: 7, lastUpdatedTime, status: 'disabled', ...policies.softDeletePolicy },
  };
}

/** Blobs come from the login server itself; the name stands there for those who allow hosts by name. */
function dataEndpoint(name: string, region: string, loginServer: string): string {
  return `${name}.${region}.data.${loginServer}`;
}
