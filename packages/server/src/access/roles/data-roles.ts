import { type RoleDefinition, role } from './role-definition.ts';

const read: readonly string[] = ['/repositories/metadata/read', '/repositories/content/read'];
const write: readonly string[] = [...read, '/repositories/metadata/write', '/repositories/content/write'];
const contribute: readonly string[] = [...write, '/repositories/metadata/delete', '/repositories/content/delete'];

/** Roles for what a registry holds (acr-api 2.7). */
export const dataRoles: readonly RoleDefinition[] = [
  role('7f951dda-4ed3-4680-a7ca-43fe172d538d', 'AcrPull', 'Pulls from a registry.', { actions: ['/pull/read'] }),
  role('8311e382-0749-4cb8-b61a-304f252e45ec', 'AcrPush', 'Pushes to and pulls from a registry.', {
    actions: ['/pull/read', '/push/write'],
  }),
  role('c2f4ef07-c644-48eb-af81-4b1b4947fb11', 'AcrDelete', 'Deletes repositories, tags and manifests of a registry.', {
    actions: ['/artifacts/delete'],
  }),
  role('6cef56e8-d556-48e5-a04f-b8e64114680f', 'AcrImageSigner', 'Pushes and pulls signatures of content trust.', {
    actions: ['/sign/write'],
    dataActions: ['/trustedCollections/write'],
  }),
  role('cdda3590-29a3-44f6-95f2-9f980659eb04', 'AcrQuarantineReader', 'Sees and pulls images in quarantine.', {
    actions: ['/quarantine/read'],
    dataActions: ['/quarantinedArtifacts/read'],
  }),
  role('c8d4ff99-41c3-41a8-9f60-21dfdad59608', 'AcrQuarantineWriter', 'Sees images in quarantine and takes them out of it.', {
    actions: ['/quarantine/read', '/quarantine/write'],
    dataActions: ['/quarantinedArtifacts/read', '/quarantinedArtifacts/write'],
  }),
  role('b93aa761-3e63-49ed-ac28-beffa264f7ac', 'Container Registry Repository Reader', 'Pulls from repositories.', {
    dataActions: read,
  }),
  role('2a1e307c-b015-4ebd-883e-5b7698a07328', 'Container Registry Repository Writer', 'Pushes to and pulls from repositories.', {
    dataActions: write,
  }),
  role(
    '2efddaa5-3f1f-4df3-97df-af3f13818f4c',
    'Container Registry Repository Contributor',
    'Pushes to, pulls from and deletes in repositories.',
    { dataActions: contribute },
  ),
  role('bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7', 'Container Registry Repository Catalog Lister', 'Lists all repositories.', {
    dataActions: ['/catalog/read'],
  }),
  role(
    '577a9874-89fd-4f24-9dbd-b5034d0ad23a',
    'Container Registry Data Importer and Data Reader',
    'Imports images, lists and pulls.',
    {
      actions: ['/importImage/action', '/read', '/pull/read'],
      dataActions: [...read, '/catalog/read'],
    },
  ),
];
