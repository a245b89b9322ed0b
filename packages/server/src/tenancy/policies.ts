/** What a registry does with its content by itself (acr-api 6). */
export interface RegistryPolicies {
  /** New manifests cannot be pulled before somebody has passed them. */
  readonly isQuarantineEnabled: boolean;
  /** Days after which untagged manifests go; undefined: never. 0: as soon as they are untagged. */
  readonly retentionDays: number | undefined;
  /** When the retention policy was last changed (ms): it is about what becomes untagged later. */
  readonly retentionSince: number;
  /** Days for which deleted manifests and tags can be restored; undefined: they go at once. */
  readonly softDeleteDays: number | undefined;
  /** Other registries may import from this one. */
  readonly isExportEnabled: boolean;
  /** `/oauth2/exchange` takes tokens that were made for the resource manager. */
  readonly areManagementTokensExchangeable: boolean;
}

export const defaultPolicies: RegistryPolicies = {
  isQuarantineEnabled: false,
  retentionDays: undefined,
  retentionSince: 0,
  softDeleteDays: undefined,
  isExportEnabled: true,
  areManagementTokensExchangeable: true,
};
