import type { RegistryPolicies } from './policies.ts';

export type Plan = 'Basic' | 'Standard' | 'Premium';

/** Which roles count on the data plane (acr-api 2.7). */
export type RoleMode = 'LegacyRegistryPermissions' | 'AbacRepositoryPermissions';

/** Who may reach the data plane at all (acr-api 6.15). */
export interface NetworkRules {
  readonly isPublicAccessEnabled: boolean;
  readonly defaultAction: 'Allow' | 'Deny';
  /** Addresses and networks (`203.0.113.0/24`) that may pass where the default is `Deny`. */
  readonly allowed: readonly string[];
}

/** The tenant: a login server name with its own keys, content and rules. A change makes another object. */
export interface Registry {
  readonly id: number;
  readonly name: string;
  /** The one that every deployment has; its admin user runs the deployment. */
  readonly isDefault: boolean;
  /** Host and port as clients name it; the audience of its tokens. */
  readonly loginServer: string;
  /** Its id in the resource manager, as it was created: `/subscriptions/…/registries/local`. */
  readonly resourceId: string;
  readonly plan: Plan;
  readonly isAnonymousPullEnabled: boolean;
  readonly roleMode: RoleMode;
  readonly network: NetworkRules;
  readonly policies: RegistryPolicies;
  /** Where its settings are written; undefined: in this region. */
  readonly homeRegion?: string | undefined;
  /** Other regions hold it, too: what is missing here may be there. */
  readonly isReplicated?: boolean;
}
