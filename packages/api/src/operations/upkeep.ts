import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

const operator = { kind: 'operator' } as const;
const deployment = { kind: 'deployment' } as const;

export const rotateKeys = defineOperation({
  id: 'rotate-keys',
  method: 'POST',
  path: '/berth/v1/keys/rotations',
  source: 'Berth',
  permission: deployment,
  summary: 'Makes a new wrapping key and rewraps the ring, or makes a new data key for what is stored from now on.',
  body: Type.Object({ key: Type.Union([Type.Literal('wrapping'), Type.Literal('data')]) }, { additionalProperties: false }),
  responses: {
    200: { description: 'rotated', schema: Type.Object({ key: Type.String(), id: Type.String(), rewrapped: Type.Integer() }) },
  },
  errors: ['KEY_UNAVAILABLE'],
});

const scrubState = Type.Object({
  state: Type.Union([Type.Literal('never'), Type.Literal('running'), Type.Literal('finished'), Type.Literal('stopped')]),
  partsChecked: Type.Integer(),
  bytesChecked: Type.Integer(),
  manifestsChecked: Type.Integer(),
  startedAt: Type.Union([Type.String(), Type.Null()]),
  finishedAt: Type.Union([Type.String(), Type.Null()]),
  /** Damaged blobs that were replaced by what another region has, since the start. */
  repairedBlobs: Type.Integer(),
  damage: Type.Array(
    Type.Object({
      part: Type.String(),
      digest: Type.Union([Type.String(), Type.Null()]),
      reason: Type.String(),
      foundAt: Type.String(),
    }),
  ),
});
export const startScrub = defineOperation({
  id: 'start-scrub',
  method: 'POST',
  path: '/berth/v1/scrubs',
  source: 'Berth',
  permission: deployment,
  summary: 'Begins to reopen every stored part in the background; a scrub that runs goes on.',
  body: Type.Object({ bytesPerSecond: Type.Optional(Type.Integer({ minimum: 1 })) }, { additionalProperties: false }),
  responses: { 202: { description: 'running', schema: scrubState } },
  errors: [],
});
export const getScrub = defineOperation({
  id: 'get-scrub',
  method: 'GET',
  path: '/berth/v1/scrubs/latest',
  source: 'Berth',
  permission: deployment,
  summary: 'Tells how far the scrub is and what damage is known.',
  responses: { 200: { description: 'the state', schema: scrubState } },
  errors: [],
});
export const startCollection = defineOperation({
  id: 'start-collection',
  method: 'POST',
  path: '/berth/v1/collections',
  source: 'Berth',
  permission: deployment,
  summary: 'Collects garbage that is due now, without waiting for the next round.',
  body: Type.Object({}, { additionalProperties: false }),
  responses: {
    200: {
      description: 'collected',
      schema: Type.Object({ settled: Type.Integer(), partsDeleted: Type.Integer(), candidatesDue: Type.Integer() }),
    },
  },
  errors: [],
});
export const regeneratePassword = defineOperation({
  id: 'regenerate-password',
  method: 'POST',
  path: '/berth/v1/passwords/{slot}',
  source: 'Berth; ACR regenerateCredential',
  permission: operator,
  summary: 'Replaces one of the two admin passwords; what was signed in with it ends, the other one lives on.',
  params: Type.Object({ slot: Type.Union([Type.Literal('password'), Type.Literal('password2')]) }),
  body: Type.Object({}, { additionalProperties: false }),
  responses: {
    200: {
      description: 'the new password, shown once',
      schema: Type.Object({ username: Type.String(), name: Type.String(), value: Type.String() }),
    },
  },
  errors: [],
});
