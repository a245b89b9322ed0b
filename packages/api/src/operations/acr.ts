import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

/** ACR's own data plane beside the distribution protocol (acr-api 1.7). */

const metadataRead = { kind: 'repository', actions: ['metadata_read'] } as const;
const metadataWrite = { kind: 'repository', actions: ['metadata_write'] } as const;
const remove = { kind: 'repository', actions: ['delete'] } as const;

const digestParam = Type.Object({ digest: Type.String({ description: 'algorithm:hex, sha256 or sha512' }) });
const tagParam = Type.Object({ reference: Type.String({ description: 'a tag' }) });
const page = {
  n: Type.Optional(Type.String({ description: 'how many entries at the most' })),
  last: Type.Optional(Type.String({ description: 'the page begins after this entry' })),
};
const orderedPage = {
  ...page,
  orderby: Type.Optional(Type.String({ description: 'timedesc or timeasc (by last update); otherwise lexical' })),
  at: Type.Optional(Type.String({ description: 'of Link headers: the time of the entry that `last` names, in milliseconds' })),
};

const attributes = Type.Object({
  deleteEnabled: Type.Boolean(),
  writeEnabled: Type.Boolean(),
  readEnabled: Type.Boolean(),
  listEnabled: Type.Boolean(),
});
const attributesPatch = Type.Object(
  {
    deleteEnabled: Type.Optional(Type.Boolean()),
    writeEnabled: Type.Optional(Type.Boolean()),
    readEnabled: Type.Optional(Type.Boolean()),
    listEnabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
const quarantineDetails = Type.String({ description: 'JSON of whoever decided, at most 16 KiB' });
const manifestPatch = Type.Object(
  {
    ...attributesPatch.properties,
    quarantineState: Type.Optional(Type.String({ description: 'Passed or Failed, whatever the case' })),
    quarantineDetails: Type.Optional(quarantineDetails),
  },
  { additionalProperties: false },
);
const manifestAttributes = Type.Object({
  ...attributes.properties,
  quarantineState: Type.Optional(Type.Union([Type.Literal('Passed'), Type.Literal('Failed'), Type.Literal('Quarantined')])),
  quarantineDetails: Type.Optional(quarantineDetails),
});
const repository = Type.Object({
  registry: Type.String(),
  imageName: Type.String(),
  createdTime: Type.String(),
  lastUpdateTime: Type.String(),
  manifestCount: Type.Integer(),
  tagCount: Type.Integer(),
  changeableAttributes: attributes,
});
const tag = Type.Object({
  name: Type.String(),
  digest: Type.String(),
  createdTime: Type.String(),
  lastUpdateTime: Type.String(),
  signed: Type.Boolean(),
  changeableAttributes: attributes,
});
const manifest = Type.Object({
  digest: Type.String(),
  imageSize: Type.Integer(),
  createdTime: Type.String(),
  lastUpdateTime: Type.String(),
  mediaType: Type.String(),
  architecture: Type.Optional(Type.String()),
  os: Type.Optional(Type.String()),
  configMediaType: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  references: Type.Optional(
    Type.Array(
      Type.Object({ digest: Type.String(), architecture: Type.Optional(Type.String()), os: Type.Optional(Type.String()) }),
    ),
  ),
  changeableAttributes: manifestAttributes,
});
const inImage = { registry: Type.String(), imageName: Type.String() };

export const listRepositories = defineOperation({
  id: 'acr-list-repositories',
  method: 'GET',
  path: '/acr/v1/_catalog',
  source: 'ACR /acr/v1/_catalog',
  permission: { kind: 'catalog' },
  query: Type.Object(page),
  summary: 'Lists the repositories of the registry in lexical order.',
  responses: {
    200: { description: 'a page', headers: ['Link'], schema: Type.Object({ repositories: Type.Array(Type.String()) }) },
  },
  errors: ['PAGINATION_NUMBER_INVALID'],
});
export const getRepository = defineOperation({
  id: 'acr-get-repository',
  method: 'GET',
  path: '/acr/v1/{name}',
  source: 'ACR /acr/v1/{name}',
  permission: metadataRead,
  summary: 'Tells what a repository holds and what may be done with it.',
  responses: { 200: { description: 'the repository', schema: repository } },
  errors: ['NAME_UNKNOWN'],
});
export const updateRepository = defineOperation({
  id: 'acr-update-repository',
  method: 'PATCH',
  path: '/acr/v1/{name}',
  source: 'ACR /acr/v1/{name}',
  permission: metadataWrite,
  body: attributesPatch,
  summary: 'Locks and unlocks a repository with all that it holds.',
  responses: { 200: { description: 'the repository', schema: repository } },
  errors: ['NAME_UNKNOWN'],
});
export const listTags = defineOperation({
  id: 'acr-list-tags',
  method: 'GET',
  path: '/acr/v1/{name}/_tags',
  source: 'ACR /acr/v1/{name}/_tags',
  permission: metadataRead,
  query: Type.Object({ ...orderedPage, digest: Type.Optional(Type.String({ description: 'only tags of this manifest' })) }),
  summary: 'Lists the tags of a repository with their attributes.',
  responses: { 200: { description: 'a page', headers: ['Link'], schema: Type.Object({ ...inImage, tags: Type.Array(tag) }) } },
  errors: ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'PAGINATION_NUMBER_INVALID', 'DIGEST_INVALID'],
});
export const getTag = defineOperation({
  id: 'acr-get-tag',
  method: 'GET',
  path: '/acr/v1/{name}/_tags/{reference}',
  source: 'ACR /acr/v1/{name}/_tags/{ref}',
  permission: metadataRead,
  params: tagParam,
  summary: 'Tells what a tag points at and what may be done with it.',
  responses: { 200: { description: 'the tag', schema: Type.Object({ ...inImage, tag }) } },
  errors: ['NAME_UNKNOWN', 'TAG_UNKNOWN'],
});
export const updateTag = defineOperation({
  id: 'acr-update-tag',
  method: 'PATCH',
  path: '/acr/v1/{name}/_tags/{reference}',
  source: 'ACR /acr/v1/{name}/_tags/{ref}',
  permission: metadataWrite,
  params: tagParam,
  body: attributesPatch,
  summary: 'Locks and unlocks a tag; its manifest has attributes of its own.',
  responses: { 200: { description: 'the tag', schema: Type.Object({ ...inImage, tag }) } },
  errors: ['NAME_UNKNOWN', 'TAG_UNKNOWN'],
});
export const deleteTag = defineOperation({
  id: 'acr-delete-tag',
  method: 'DELETE',
  path: '/acr/v1/{name}/_tags/{reference}',
  source: 'ACR /acr/v1/{name}/_tags/{ref}',
  permission: remove,
  params: tagParam,
  summary: 'Removes a tag; its manifest stays.',
  responses: { 202: { description: 'gone' } },
  errors: ['NAME_UNKNOWN', 'TAG_UNKNOWN', 'REGISTRY_DISALLOWED_OPERATION'],
});
export const listManifests = defineOperation({
  id: 'acr-list-manifests',
  method: 'GET',
  path: '/acr/v1/{name}/_manifests',
  source: 'ACR /acr/v1/{name}/_manifests',
  permission: metadataRead,
  query: Type.Object(orderedPage),
  summary: 'Lists the manifests of a repository, tagged or not, with their attributes.',
  responses: {
    200: {
      description: 'a page',
      headers: ['Link'],
      schema: Type.Object({ ...inImage, manifests: Type.Union([Type.Array(manifest), Type.Null()]) }),
    },
  },
  errors: ['NAME_UNKNOWN', 'PAGINATION_NUMBER_INVALID'],
});
export const getManifest = defineOperation({
  id: 'acr-get-manifest',
  method: 'GET',
  path: '/acr/v1/{name}/_manifests/{digest}',
  source: 'ACR /acr/v1/{name}/_manifests/{digest}',
  permission: metadataRead,
  params: digestParam,
  summary: 'Tells what a manifest is and what may be done with it.',
  responses: { 200: { description: 'the manifest', schema: Type.Object({ ...inImage, manifest }) } },
  errors: ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'DIGEST_INVALID'],
});
export const updateManifest = defineOperation({
  id: 'acr-update-manifest',
  method: 'PATCH',
  path: '/acr/v1/{name}/_manifests/{digest}',
  source: 'ACR /acr/v1/{name}/_manifests/{digest}',
  permission: { kind: 'repository', actions: ['metadata_write'], instead: 'quarantine_write' },
  params: digestParam,
  body: manifestPatch,
  summary:
    'Locks and unlocks a manifest (`metadata_write`), and lets it out of quarantine (`quarantine_write`); its tags have attributes of their own.',
  responses: { 200: { description: 'the manifest', schema: Type.Object({ ...inImage, manifest }) } },
  errors: ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'DIGEST_INVALID', 'DENIED', 'REQUEST_INVALID'],
});

const deletedManifest = Type.Object({
  digest: Type.String(),
  mediaType: Type.String(),
  imageSize: Type.Integer(),
  createdTime: Type.String(),
  deletedAt: Type.String(),
  tags: Type.Optional(Type.Array(Type.String())),
});
const deletedTag = Type.Object({ tag: Type.String(), digest: Type.String(), deletedAt: Type.String() });
const deletedRead = { kind: 'repository', actions: ['deleted_read'] } as const;

export const listDeletedRepositories = defineOperation({
  id: 'acr-list-deleted-repositories',
  method: 'GET',
  path: '/acr/v1/_deleted/_catalog',
  source: 'ACR /acr/v1/_deleted/_catalog',
  permission: { kind: 'deleted-catalog' },
  query: Type.Object(page),
  summary: 'Lists the repositories of which something can be restored.',
  responses: {
    200: { description: 'a page', schema: Type.Object({ repositories: Type.Array(Type.String()) }), headers: ['Link'] },
  },
  errors: ['PAGINATION_NUMBER_INVALID'],
});
export const listDeletedManifests = defineOperation({
  id: 'acr-list-deleted-manifests',
  method: 'GET',
  path: '/acr/v1/_deleted/{name}/_manifests',
  source: 'ACR /acr/v1/_deleted/{name}/_manifests',
  permission: deletedRead,
  query: Type.Object(page),
  summary: 'Lists the manifests that were deleted from a repository and can be restored.',
  responses: {
    200: {
      description: 'a page',
      schema: Type.Object({ ...inImage, manifests: Type.Array(deletedManifest) }),
      headers: ['Link'],
    },
  },
  errors: ['PAGINATION_NUMBER_INVALID'],
});
export const listDeletedTags = defineOperation({
  id: 'acr-list-deleted-tags',
  method: 'GET',
  path: '/acr/v1/_deleted/{name}/_tags',
  source: 'ACR /acr/v1/_deleted/{name}/_tags',
  permission: deletedRead,
  query: Type.Object(page),
  summary: 'Lists the tags that were deleted from a repository, with what they named.',
  responses: {
    200: { description: 'a page', schema: Type.Object({ ...inImage, tags: Type.Array(deletedTag) }), headers: ['Link'] },
  },
  errors: ['PAGINATION_NUMBER_INVALID'],
});
export const restoreManifest = defineOperation({
  id: 'acr-restore-manifest',
  method: 'POST',
  path: '/acr/v1/_deleted/{name}/_manifests/{digest}',
  source: 'ACR POST /acr/v1/_deleted/{name}/_manifests/{digest}',
  permission: { kind: 'repository', actions: ['deleted_read', 'deleted_restore'] },
  params: digestParam,
  query: Type.Object({
    force: Type.Optional(Type.String({ description: 'true: the tag is moved although it names another manifest' })),
  }),
  body: Type.Object({ tag: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
  summary: 'Restores a manifest with what it needs, and one tag, or all that went with it.',
  responses: { 200: { description: 'restored', schema: Type.Object({ ...inImage, digest: Type.String() }) } },
  errors: ['MANIFEST_UNKNOWN', 'CONFLICT', 'REGISTRY_DISALLOWED_OPERATION', 'DIGEST_INVALID', 'TAG_INVALID'],
});
export const purgeManifest = defineOperation({
  id: 'acr-purge-manifest',
  method: 'DELETE',
  path: '/acr/v1/_deleted/{name}/_manifests/{digest}',
  source: 'Berth',
  permission: { kind: 'repository', actions: ['deleted_read', 'delete'] },
  params: digestParam,
  summary: 'Deletes a deleted manifest for ever, before its days are over.',
  responses: { 202: { description: 'purged' } },
  errors: ['MANIFEST_UNKNOWN', 'DIGEST_INVALID'],
});
