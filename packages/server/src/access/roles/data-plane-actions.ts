import type { RepositoryAction } from '@berth/api';

/** What a need of the data plane is called among the actions of roles; absent where nothing grants it. */
export interface DataActions {
  /** The control action that grants it in legacy registries. */
  readonly legacy?: string;
  readonly data?: string;
}

const registries = 'Microsoft.ContainerRegistry/registries';

/**
 * Who pulls lists tags, too; locks take an action of their own, which AcrPush does not have. Deleted content is not
 * reached by any data role.
 */
export const repositoryActions: Readonly<Record<RepositoryAction, DataActions>> = {
  pull: { legacy: `${registries}/pull/read`, data: `${registries}/repositories/content/read` },
  push: { legacy: `${registries}/push/write`, data: `${registries}/repositories/content/write` },
  delete: { legacy: `${registries}/artifacts/delete`, data: `${registries}/repositories/content/delete` },
  metadata_read: { legacy: `${registries}/pull/read`, data: `${registries}/repositories/metadata/read` },
  metadata_write: { legacy: `${registries}/metadata/write`, data: `${registries}/repositories/metadata/write` },
  deleted_read: { legacy: `${registries}/deleted/read` },
  deleted_restore: { legacy: `${registries}/deleted/restore/action` },
  quarantine_read: { legacy: `${registries}/quarantine/read`, data: `${registries}/quarantinedArtifacts/read` },
  quarantine_write: { legacy: `${registries}/quarantine/write`, data: `${registries}/quarantinedArtifacts/write` },
};

export const catalogActions: Readonly<Record<'catalog' | 'deleted_catalog', DataActions>> = {
  catalog: { legacy: `${registries}/pull/read`, data: `${registries}/catalog/read` },
  deleted_catalog: { legacy: `${registries}/deleted/read` },
};
