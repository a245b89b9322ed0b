import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

/** The part of the Azure Blob protocol that clients of ACR's tasks speak, at signed addresses (acr-tasks 3, 6.6). */

const signed = {
  kind: 'public',
  reason: 'the address is signed for one thing and a short time; its handler checks that',
} as const;
const source = 'Azure Blob Storage; acr-tasks 3, 6.6';
/** `REGISTRY.blob.berth`: clients look for `.blob.` in an address and build it again from what stands around it. */
const account = Type.String({ description: 'the name of the registry, and `.blob.berth`' });
const signature = {
  sv: Type.Optional(Type.String()),
  sr: Type.Optional(Type.String()),
  sp: Type.Optional(Type.String()),
  se: Type.Optional(Type.String({ description: 'until when the address can be used' })),
  si: Type.Optional(Type.String()),
  sig: Type.Optional(Type.String()),
};

export const putSourceBlob = defineOperation({
  id: 'put-source-blob',
  method: 'PUT',
  path: '/berth/blobs/{account}/source/{blob}',
  source,
  permission: signed,
  summary: 'Takes the files of a build, whole or in blocks, once; errors are those of Azure Storage.',
  params: Type.Object({ account, blob: Type.String() }),
  query: Type.Object({
    ...signature,
    comp: Type.Optional(Type.String({ description: '`block` for one block, `blocklist` for what joins them' })),
    blockid: Type.Optional(Type.String({ description: 'base64 of at most 64 bytes' })),
  }),
  body: 'stream',
  responses: { 201: { description: 'kept', headers: ['ETag', 'Last-Modified', 'x-ms-request-id'] } },
  errors: [],
});
export const getLogBlob = defineOperation({
  id: 'get-log-blob',
  method: 'GET',
  path: '/berth/blobs/{account}/logs/{run}/rawtext.log',
  source,
  permission: signed,
  summary: 'Reads the log of a run as an append blob, whole or by range; `x-ms-meta-complete` is there when it has ended.',
  params: Type.Object({ account, run: Type.String() }),
  query: Type.Object(signature),
  responses: {
    200: { description: 'the log', headers: ['ETag', 'Last-Modified', 'x-ms-meta-complete', 'x-ms-blob-type'] },
    206: { description: 'the range', headers: ['Content-Range', 'ETag', 'Last-Modified', 'x-ms-meta-complete'] },
  },
  errors: [],
});
