import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

/** What regions ask one another (sign-in: `$region`), and what operators ask about it. */

const region = { kind: 'region' } as const;
const operator = { kind: 'operator' } as const;
const base = '/berth/v1/regions/registries';
const byRegistry = Type.Object({ registry: Type.String() });
const anyObject = Type.Object({});
const notHere = ['NOT_FOUND'] as const;

export const listReplicatedRegistries = defineOperation({
  id: 'list-replicated-registries',
  method: 'GET',
  path: base,
  source: 'Berth',
  permission: region,
  summary: 'Lists the registries that this region and the one that asks are to hold, with the time of this region.',
  responses: {
    200: {
      description: 'the registries',
      schema: Type.Object({
        region: Type.String(),
        /** Milliseconds since the epoch. */
        now: Type.Integer(),
        version: Type.String(),
        /** Of what regions say to one another; a region refuses others than its own. */
        feedVersion: Type.Integer(),
        registries: Type.Array(
          Type.Object({
            name: Type.String(),
            home: Type.String(),
            settingsVersion: Type.String(),
            /** As clients call it in the region that tells; audience of its tokens. */
            loginServer: Type.String(),
            regions: Type.Array(Type.Object({ name: Type.String(), isEndpointEnabled: Type.Boolean() })),
          }),
        ),
        /** Registries of this home that the asking region is to hold no longer: their replication was deleted. */
        removed: Type.Array(Type.String()),
        /** Registries whose home is the asking region and that this one cannot hold, with why. */
        refused: Type.Array(Type.Object({ name: Type.String(), problem: Type.String(), remedy: Type.String() })),
        /** The public keys that its tokens are signed with (RFC 7517). */
        tokenKeys: Type.Array(anyObject),
      }),
    },
  },
  errors: [],
});
export const readRegistrySettings = defineOperation({
  id: 'read-registry-settings',
  method: 'GET',
  path: `${base}/{registry}/settings`,
  source: 'Berth',
  permission: region,
  summary:
    'Reads the settings of a registry from its home region: properties, tokens, scope maps, roles, webhooks. Sealed with the key of the regions.',
  params: byRegistry,
  responses: { 200: { description: 'the settings', schema: Type.Object({ version: Type.String(), sealed: Type.String() }) } },
  errors: notHere,
});
export const followChanges = defineOperation({
  id: 'follow-changes',
  method: 'GET',
  path: `${base}/{registry}/changes`,
  source: 'Berth',
  permission: region,
  summary: 'Reads what changed in a registry after a cursor, in order, waiting a while for something to change.',
  params: byRegistry,
  query: Type.Object({
    after: Type.String(),
    limit: Type.Optional(Type.String()),
    waitSeconds: Type.Optional(Type.String()),
    /** Changes that came from this region are left out. */
    except: Type.Optional(Type.String()),
  }),
  responses: {
    200: {
      description: 'the changes',
      schema: Type.Object({
        changes: Type.Array(anyObject),
        next: Type.String(),
        /** Changes behind these. */
        behind: Type.Integer(),
        now: Type.Integer(),
      }),
    },
  },
  errors: [...notHere, 'CURSOR_UNKNOWN', 'REPLICA_TOO_OLD', 'UNAVAILABLE'],
});
export const readSnapshot = defineOperation({
  id: 'read-snapshot',
  method: 'GET',
  path: `${base}/{registry}/snapshot`,
  source: 'Berth',
  permission: region,
  summary:
    'Reads everything that is known of the content of a registry, page by page; then the changes are followed from the cursor of the first page.',
  params: byRegistry,
  query: Type.Object({ after: Type.Optional(Type.String()), limit: Type.Optional(Type.String()) }),
  responses: {
    200: {
      description: 'facts',
      schema: Type.Object({
        facts: Type.Array(anyObject),
        /** Null: there is no more. */
        next: Type.Union([Type.String(), Type.Null()]),
        /** Where the changes stood when this page was read. */
        cursor: Type.String(),
        /** Of all pages; counted once, for the first. */
        total: Type.Union([Type.Integer(), Type.Null()]),
        now: Type.Integer(),
      }),
    },
  },
  errors: [...notHere, 'UNAVAILABLE'],
});
export const resolveForRegion = defineOperation({
  id: 'resolve-for-region',
  method: 'GET',
  path: `${base}/{registry}/manifests`,
  source: 'Berth',
  permission: region,
  summary: 'Reads what a tag or digest of a repository names here, with its bytes.',
  params: byRegistry,
  query: Type.Object({ repository: Type.String(), reference: Type.String() }),
  responses: {
    200: {
      description: 'facts: the tag, if it was one, and the manifest',
      schema: Type.Object({ facts: Type.Array(anyObject) }),
    },
  },
  errors: [...notHere, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'],
});
export const readBlobForRegion = defineOperation({
  id: 'read-blob-for-region',
  method: 'GET',
  path: `${base}/{registry}/blobs/{digest}`,
  source: 'Berth',
  permission: region,
  summary: 'Reads a blob of a repository, or a range of it (bytes=a-b).',
  params: Type.Object({ registry: Type.String(), digest: Type.String() }),
  query: Type.Object({ repository: Type.String() }),
  responses: { 200: { description: 'the blob' }, 206: { description: 'the range' } },
  errors: [...notHere, 'BLOB_UNKNOWN', 'DIGEST_INVALID', 'RANGE_INVALID', 'CONTENT_DAMAGED'],
});
export const readReplicaStatus = defineOperation({
  id: 'read-replica-status',
  method: 'GET',
  path: `${base}/{registry}/status`,
  source: 'Berth',
  permission: region,
  summary: 'Tells how far this region is with a registry.',
  params: byRegistry,
  responses: { 200: { description: 'the status', schema: anyObject } },
  errors: notHere,
});

export const showReplication = defineOperation({
  id: 'show-replication',
  method: 'GET',
  path: '/berth/v1/replication',
  source: 'Berth',
  permission: operator,
  summary: 'Tells how far every region is with this registry, as seen from here.',
  responses: {
    200: {
      description: 'the regions, the home region first',
      schema: Type.Object({
        registry: Type.String(),
        home: Type.String(),
        region: Type.String(),
        regions: Type.Array(anyObject),
      }),
    },
  },
  errors: [],
});

const byRegion = Type.Object({ region: Type.String() });
const replica = Type.Object({ region: Type.String(), isEndpointEnabled: Type.Boolean() });

export const putReplica = defineOperation({
  id: 'put-replica',
  method: 'PUT',
  path: '/berth/v1/replication/{region}',
  source: 'Berth',
  permission: operator,
  summary: 'Makes another region hold this registry, too, or changes whether clients are sent there. Asked of the home region.',
  params: byRegion,
  body: Type.Object({ isEndpointEnabled: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
  responses: { 200: { description: 'changed', schema: replica }, 201: { description: 'the copying begins', schema: replica } },
  errors: ['INVALID_PARAMETER', 'CONFLICT', 'QUOTA_EXCEEDED', 'FEATURE_NOT_SUPPORTED', 'HOME_REGION_ONLY'],
});
export const deleteReplica = defineOperation({
  id: 'delete-replica',
  method: 'DELETE',
  path: '/berth/v1/replication/{region}',
  source: 'Berth',
  permission: operator,
  summary: 'Takes the registry off a region: its content goes there and stays elsewhere. Asked of the home region.',
  params: byRegion,
  responses: { 204: { description: 'taken off' } },
  errors: ['NOT_FOUND', 'CONFLICT', 'HOME_REGION_ONLY'],
});
