import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

const pull = { kind: 'repository', actions: ['pull'] } as const;
const push = { kind: 'repository', actions: ['pull', 'push'] } as const;
const remove = { kind: 'repository', actions: ['delete'] } as const;

const digestParam = Type.Object({ digest: Type.String({ description: 'algorithm:hex, sha256 or sha512' }) });
const referenceParam = Type.Object({ reference: Type.String({ description: 'a tag or a digest' }) });
const sessionParam = Type.Object({ session: Type.String({ description: 'the upload session of a Location header' }) });
const pageQuery = Type.Object({
  n: Type.Optional(Type.String({ description: 'how many entries at the most' })),
  last: Type.Optional(Type.String({ description: 'the page begins after this entry' })),
});

export const checkApi = defineOperation({
  id: 'check-api',
  method: 'GET',
  path: '/v2/',
  source: 'OCI end-1',
  permission: { kind: 'authenticated' },
  summary: 'Says that this is a registry and that the credentials are good.',
  responses: { 200: { description: 'signed in' } },
  errors: ['UNAUTHORIZED'],
});

export const getBlob = defineOperation({
  id: 'get-blob',
  method: 'GET',
  path: '/v2/{name}/blobs/{digest}',
  source: 'OCI end-2',
  permission: pull,
  params: digestParam,
  summary: 'Reads a blob, whole or by range.',
  responses: {
    200: { description: 'the blob', headers: ['Docker-Content-Digest', 'Content-Length', 'ETag', 'Accept-Ranges'] },
    206: { description: 'the range', headers: ['Content-Range'] },
    304: { description: 'the client has it already' },
  },
  errors: ['BLOB_UNKNOWN', 'DIGEST_INVALID', 'RANGE_INVALID'],
});
export const headBlob = defineOperation({
  ...getBlob,
  id: 'head-blob',
  method: 'HEAD',
  summary: 'Tells whether a blob exists and how large it is.',
});
export const deleteBlob = defineOperation({
  id: 'delete-blob',
  method: 'DELETE',
  path: '/v2/{name}/blobs/{digest}',
  source: 'OCI end-10',
  permission: remove,
  params: digestParam,
  summary: 'Takes a blob out of a repository.',
  responses: { 202: { description: 'gone from this repository', headers: ['Docker-Content-Digest'] } },
  errors: ['BLOB_UNKNOWN', 'BLOB_IN_USE'],
});

export const startUpload = defineOperation({
  id: 'start-upload',
  method: 'POST',
  path: '/v2/{name}/blobs/uploads/',
  source: 'OCI end-4a, end-4b, end-4c, end-11',
  permission: push,
  body: 'stream',
  summary: 'Begins an upload, uploads a blob in one request (`digest`), or mounts one (`mount`, `from`).',
  query: Type.Object({
    digest: Type.Optional(Type.String()),
    'digest-algorithm': Type.Optional(Type.String()),
    mount: Type.Optional(Type.String()),
    from: Type.Optional(Type.String()),
  }),
  responses: {
    201: { description: 'the blob is here', headers: ['Location', 'Docker-Content-Digest'] },
    202: {
      description: 'a session to send bytes to',
      headers: ['Location', 'Range', 'Docker-Upload-UUID', 'OCI-Chunk-Min-Length'],
    },
  },
  errors: ['DIGEST_INVALID', 'BLOB_UPLOAD_INVALID', 'STORAGE_FULL'],
});
export const sendChunk = defineOperation({
  id: 'send-chunk',
  method: 'PATCH',
  path: '/v2/{name}/blobs/uploads/{session}',
  source: 'OCI end-5',
  permission: push,
  params: sessionParam,
  body: 'stream',
  summary: 'Appends bytes to an upload.',
  responses: { 202: { description: 'kept', headers: ['Location', 'Range', 'Docker-Upload-UUID'] } },
  errors: ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID', 'RANGE_INVALID', 'CONTENT_LENGTH_INVALID', 'STORAGE_FULL'],
});
export const finishUpload = defineOperation({
  id: 'finish-upload',
  method: 'PUT',
  path: '/v2/{name}/blobs/uploads/{session}',
  source: 'OCI end-6',
  permission: push,
  params: sessionParam,
  body: 'stream',
  summary: 'Ends an upload, with or without last bytes, and checks its digest.',
  query: Type.Object({ digest: Type.String() }),
  responses: { 201: { description: 'the blob is here', headers: ['Location', 'Docker-Content-Digest'] } },
  errors: ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID', 'DIGEST_INVALID', 'RANGE_INVALID', 'STORAGE_FULL'],
});
export const getUpload = defineOperation({
  id: 'get-upload',
  method: 'GET',
  path: '/v2/{name}/blobs/uploads/{session}',
  source: 'OCI end-13',
  permission: push,
  params: sessionParam,
  summary: 'Tells how many bytes of an upload are kept, to resume from there.',
  responses: { 204: { description: 'the state', headers: ['Location', 'Range', 'Docker-Upload-UUID'] } },
  errors: ['BLOB_UPLOAD_UNKNOWN'],
});
export const cancelUpload = defineOperation({
  id: 'cancel-upload',
  method: 'DELETE',
  path: '/v2/{name}/blobs/uploads/{session}',
  source: 'OCI end-14',
  permission: push,
  params: sessionParam,
  summary: 'Gives an upload up and frees its space.',
  responses: { 204: { description: 'gone' } },
  errors: ['BLOB_UPLOAD_UNKNOWN'],
});

export const getManifest = defineOperation({
  id: 'get-manifest',
  method: 'GET',
  path: '/v2/{name}/manifests/{reference}',
  source: 'OCI end-3',
  permission: pull,
  params: referenceParam,
  summary: 'Reads a manifest by tag or digest, byte for byte as it was pushed.',
  responses: {
    200: { description: 'the manifest', headers: ['Docker-Content-Digest', 'Content-Type', 'Content-Length', 'ETag'] },
    304: { description: 'the client has it already' },
  },
  errors: ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'],
});
export const headManifest = defineOperation({
  ...getManifest,
  id: 'head-manifest',
  method: 'HEAD',
  summary: 'Tells whether a manifest exists, and its digest.',
});
export const putManifest = defineOperation({
  id: 'put-manifest',
  method: 'PUT',
  path: '/v2/{name}/manifests/{reference}',
  source: 'OCI end-7',
  permission: push,
  params: referenceParam,
  body: 'stream',
  summary: 'Stores a manifest and points tags at it. What it refers to must be there.',
  query: Type.Object({ tag: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])) }),
  responses: { 201: { description: 'stored', headers: ['Location', 'Docker-Content-Digest', 'OCI-Subject', 'OCI-Tag'] } },
  errors: ['MANIFEST_INVALID', 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_TOO_LARGE', 'DIGEST_INVALID', 'TAG_INVALID', 'TOO_MANY_TAGS'],
});
export const deleteManifest = defineOperation({
  id: 'delete-manifest',
  method: 'DELETE',
  path: '/v2/{name}/manifests/{reference}',
  source: 'OCI end-9',
  permission: remove,
  params: referenceParam,
  summary: 'By digest: deletes a manifest with all its tags. By tag: removes the tag only.',
  responses: { 202: { description: 'gone' } },
  errors: ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'],
});

export const listTags = defineOperation({
  id: 'list-tags',
  method: 'GET',
  path: '/v2/{name}/tags/list',
  source: 'OCI end-8a, end-8b',
  permission: pull,
  query: pageQuery,
  summary: 'Lists the tags of a repository in lexical order.',
  responses: {
    200: {
      description: 'a page',
      headers: ['Link'],
      schema: Type.Object({ name: Type.String(), tags: Type.Array(Type.String()) }),
    },
  },
  errors: ['NAME_UNKNOWN', 'PAGINATION_NUMBER_INVALID'],
});
export const listReferrers = defineOperation({
  id: 'list-referrers',
  method: 'GET',
  path: '/v2/{name}/referrers/{digest}',
  source: 'OCI end-12a, end-12b',
  permission: pull,
  params: digestParam,
  summary: 'Lists the manifests whose subject is this digest.',
  query: Type.Object({
    artifactType: Type.Optional(Type.String()),
    n: Type.Optional(Type.String()),
    last: Type.Optional(Type.String()),
  }),
  responses: { 200: { description: 'an image index', headers: ['Link', 'OCI-Filters-Applied'] } },
  errors: ['DIGEST_INVALID'],
});
export const listRepositories = defineOperation({
  id: 'list-repositories',
  method: 'GET',
  path: '/v2/_catalog',
  source: 'Docker Registry HTTP API V2, catalog',
  permission: { kind: 'catalog' },
  query: pageQuery,
  summary: 'Lists the repositories of the registry in lexical order.',
  responses: {
    200: { description: 'a page', headers: ['Link'], schema: Type.Object({ repositories: Type.Array(Type.String()) }) },
  },
  errors: ['PAGINATION_NUMBER_INVALID'],
});
export const deleteRepository = defineOperation({
  id: 'delete-repository',
  method: 'DELETE',
  path: '/acr/v1/{name}',
  source: 'ACR /acr/v1/{name}',
  permission: remove,
  summary: 'Deletes a repository with all its manifests and tags.',
  responses: {
    202: {
      description: 'gone; the answer names at most 1,000 of each',
      schema: Type.Object({ manifestsDeleted: Type.Array(Type.String()), tagsDeleted: Type.Array(Type.String()) }),
    },
  },
  errors: ['NAME_UNKNOWN'],
});
