/** What everybody may by acr-api 2.6 and 2.7, written down from there: nothing here asks the server's code. */

/** Actions on repositories, `catalog` and `deleted_catalog`. */
export type Right = string;

const read = ['pull', 'metadata_read', 'catalog'];
const everything = [
  ...read,
  'push',
  'delete',
  'metadata_write',
  'deleted_catalog',
  'deleted_read',
  'deleted_restore',
  'quarantine_read',
  'quarantine_write',
];

export interface Grant {
  readonly legacy: readonly Right[];
  readonly abac: readonly Right[];
}

const repositoryReader = ['pull', 'metadata_read'];
const repositoryWriter = [...repositoryReader, 'push', 'metadata_write'];

/** By role, at the scope of the registry. */
export const rights: Readonly<Record<string, Grant>> = {
  Owner: { legacy: everything, abac: [] },
  Contributor: { legacy: everything, abac: [] },
  Reader: { legacy: [...read, 'deleted_catalog', 'deleted_read', 'quarantine_read'], abac: [] },
  AcrPull: { legacy: read, abac: [] },
  AcrPush: { legacy: [...read, 'push'], abac: [] },
  AcrDelete: { legacy: ['delete'], abac: [] },
  AcrImageSigner: { legacy: [], abac: [] },
  AcrQuarantineReader: { legacy: ['quarantine_read'], abac: ['quarantine_read'] },
  AcrQuarantineWriter: { legacy: ['quarantine_read', 'quarantine_write'], abac: ['quarantine_read', 'quarantine_write'] },
  'Container Registry Repository Reader': { legacy: repositoryReader, abac: repositoryReader },
  'Container Registry Repository Writer': { legacy: repositoryWriter, abac: repositoryWriter },
  'Container Registry Repository Contributor': { legacy: [...repositoryWriter, 'delete'], abac: [...repositoryWriter, 'delete'] },
  'Container Registry Repository Catalog Lister': { legacy: ['catalog'], abac: ['catalog'] },
};

/** By system scope map. Tokens are the same in both modes. */
export const scopeMaps: Readonly<Record<string, readonly Right[]>> = {
  _repositories_pull: ['pull'],
  _repositories_pull_metadata_read: ['pull', 'metadata_read', 'catalog'],
  _repositories_push: ['pull', 'push'],
  _repositories_push_metadata_write: ['pull', 'push', 'metadata_read', 'metadata_write', 'catalog'],
  _repositories_admin: ['pull', 'push', 'delete', 'metadata_read', 'metadata_write', 'catalog'],
};

export const adminRights: readonly Right[] = everything;

/** Which actions of the resource manager a role has, of those that this build serves. */
export function mayManage(role: string, action: string): boolean {
  const registries = 'Microsoft.ContainerRegistry/registries/';
  switch (role) {
    case 'Owner':
      return true;
    case 'Contributor':
      return !/^Microsoft\.Authorization\/.*\/(?:write|delete)$/i.test(action);
    case 'Reader':
      return action.endsWith('/read');
    case 'AcrPull':
      return action === `${registries}pull/read`;
    case 'AcrPush':
      return [`${registries}pull/read`, `${registries}push/write`].includes(action);
    default:
      throw new Error(`the model knows nothing of ${role}`);
  }
}
