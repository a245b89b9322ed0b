import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

const operator = { kind: 'operator' } as const;
const strict = { additionalProperties: false } as const;

/** What stays, and from when on untagged manifests go. */
const definition = {
  repositories: Type.String({ description: 'glob; * matches anything, slashes too' }),
  tags: Type.Optional(Type.String({ description: 'glob; every tag without' })),
  keepLast: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
  keepNewerThan: Type.Optional(Type.String({ description: 'such as 30d' })),
  keepPulledWithin: Type.Optional(Type.String({ description: 'such as 90d' })),
  untaggedOlderThan: Type.Optional(Type.String({ description: 'such as 7d' })),
};

const rule = Type.Object({ name: Type.String(), ...definition, isEnabled: Type.Boolean(), updatedAt: Type.String() });
const ruleName = Type.Object({ rule: Type.String() });

const decision = Type.Object({
  repository: Type.String(),
  action: Type.Union([Type.Literal('untag'), Type.Literal('delete')]),
  name: Type.String({ description: 'the tag, or the digest of the manifest' }),
  reason: Type.String(),
  sizeBytes: Type.Integer({ description: 'of the manifest with its blobs, though others may need some of those' }),
});

const totals = {
  tagsRemoved: Type.Integer(),
  manifestsRemoved: Type.Integer(),
  bytesRemoved: Type.Integer({ description: 'of the manifests with their blobs: the most that becomes free' }),
  locked: Type.Integer({ description: 'items that stay because they are locked' }),
  spared: Type.Integer({ description: 'items that were used between the look and the deletion' }),
  failed: Type.Integer(),
};

const sweep = Type.Object({
  isDryRun: Type.Boolean(),
  decisions: Type.Array(decision),
  ...totals,
  isComplete: Type.Boolean(),
  cursor: Type.Union([Type.String(), Type.Null()]),
});

const runState = Type.Object({
  state: Type.Union([Type.Literal('never'), Type.Literal('running'), Type.Literal('finished'), Type.Literal('stopped')]),
  startedAt: Type.Union([Type.String(), Type.Null()]),
  finishedAt: Type.Union([Type.String(), Type.Null()]),
  ...totals,
});

export const listCleanupRules = defineOperation({
  id: 'list-cleanup-rules',
  method: 'GET',
  path: '/berth/v1/cleanup/rules',
  source: 'Berth',
  permission: operator,
  summary: 'Lists the rules by which the registry cleans itself up.',
  responses: { 200: { description: 'the rules, by name', schema: Type.Object({ rules: Type.Array(rule) }) } },
  errors: [],
});
export const getCleanupRule = defineOperation({
  id: 'get-cleanup-rule',
  method: 'GET',
  path: '/berth/v1/cleanup/rules/{rule}',
  source: 'Berth',
  permission: operator,
  summary: 'Shows a cleanup rule.',
  params: ruleName,
  responses: { 200: { description: 'the rule', schema: rule } },
  errors: ['NOT_FOUND'],
});
export const putCleanupRule = defineOperation({
  id: 'put-cleanup-rule',
  method: 'PUT',
  path: '/berth/v1/cleanup/rules/{rule}',
  source: 'Berth',
  permission: operator,
  summary: 'Makes a cleanup rule, or replaces it; it counts from the next round on.',
  params: ruleName,
  body: Type.Object({ ...definition, isEnabled: Type.Optional(Type.Boolean()) }, strict),
  responses: { 200: { description: 'replaced', schema: rule }, 201: { description: 'made', schema: rule } },
  errors: ['INVALID_PARAMETER', 'QUOTA_EXCEEDED'],
});
export const deleteCleanupRule = defineOperation({
  id: 'delete-cleanup-rule',
  method: 'DELETE',
  path: '/berth/v1/cleanup/rules/{rule}',
  source: 'Berth',
  permission: operator,
  summary: 'Deletes a cleanup rule.',
  params: ruleName,
  responses: { 204: { description: 'deleted' } },
  errors: ['NOT_FOUND'],
});
export const previewCleanup = defineOperation({
  id: 'preview-cleanup',
  method: 'POST',
  path: '/berth/v1/cleanup/previews',
  source: 'Berth',
  permission: operator,
  summary: 'Tells what all enabled rules together, or one rule by itself, would remove now. Nothing changes.',
  body: Type.Object(
    {
      rule: Type.Optional(Type.Object(definition, strict)),
      limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
      cursor: Type.Optional(Type.String()),
    },
    strict,
  ),
  responses: { 200: { description: 'the first decisions with their reasons, and the totals of all', schema: sweep } },
  errors: ['INVALID_PARAMETER'],
});
export const startCleanup = defineOperation({
  id: 'start-cleanup',
  method: 'POST',
  path: '/berth/v1/cleanup/runs',
  source: 'Berth',
  permission: operator,
  summary: 'Begins to clean up by the rules and the retention policy in the background; a run that goes on is left to.',
  body: Type.Object({}, strict),
  responses: { 202: { description: 'running', schema: runState } },
  errors: [],
});
export const getCleanup = defineOperation({
  id: 'get-cleanup',
  method: 'GET',
  path: '/berth/v1/cleanup/runs/latest',
  source: 'Berth',
  permission: operator,
  summary: 'Tells how far the latest cleanup is, or what it did.',
  responses: { 200: { description: 'the state', schema: runState } },
  errors: [],
});
/** What `acr purge` is asked for. */
const criteria = {
  filters: Type.Optional(Type.Array(Type.String())),
  ago: Type.Optional(Type.String({ description: 'such as 30d or 1d3h15m' })),
  keep: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  untagged: Type.Optional(Type.Boolean()),
  untaggedOnly: Type.Optional(Type.Boolean()),
  includeLocked: Type.Optional(Type.Boolean()),
};

export const purge = defineOperation({
  id: 'purge',
  method: 'POST',
  path: '/berth/v1/purges',
  source: 'Berth; acr purge',
  permission: operator,
  summary: 'Untags and deletes as `acr purge` does; when the answer is not complete, ask again with its cursor to go on.',
  body: Type.Object(
    {
      ...criteria,
      dryRun: Type.Optional(Type.Boolean()),
      cursor: Type.Optional(Type.String()),
    },
    strict,
  ),
  responses: { 200: { description: 'what went, or would go', schema: sweep } },
  errors: ['INVALID_PARAMETER'],
});

const scheduleName = Type.Object({ schedule: Type.String() });
const timeOrNull = Type.Union([Type.String(), Type.Null()]);
const purgeSchedule = Type.Object({
  name: Type.String(),
  schedule: Type.String(),
  ...criteria,
  nextAt: timeOrNull,
  isRunning: Type.Boolean(),
  lastAt: timeOrNull,
  lastResult: Type.Union([Type.Object(totals), Type.Object({ problem: Type.String() }), Type.Null()]),
});

export const listPurgeSchedules = defineOperation({
  id: 'list-purge-schedules',
  method: 'GET',
  path: '/berth/v1/purge-schedules',
  source: 'Berth; acr purge',
  permission: operator,
  summary: 'Lists the purges that run by the clock, with what they did last.',
  responses: { 200: { description: 'by name', schema: Type.Object({ schedules: Type.Array(purgeSchedule) }) } },
  errors: [],
});
export const getPurgeSchedule = defineOperation({
  id: 'get-purge-schedule',
  method: 'GET',
  path: '/berth/v1/purge-schedules/{schedule}',
  source: 'Berth; acr purge',
  permission: operator,
  summary: 'Shows a purge that runs by the clock.',
  params: scheduleName,
  responses: { 200: { description: 'the schedule', schema: purgeSchedule } },
  errors: ['NOT_FOUND'],
});
export const putPurgeSchedule = defineOperation({
  id: 'put-purge-schedule',
  method: 'PUT',
  path: '/berth/v1/purge-schedules/{schedule}',
  source: 'Berth; acr purge',
  permission: operator,
  summary: 'Makes a purge run by the clock, or replaces it.',
  params: scheduleName,
  body: Type.Object({ schedule: Type.String({ description: 'five fields in UTC, such as 0 1 * * Sun' }), ...criteria }, strict),
  responses: { 200: { description: 'replaced', schema: purgeSchedule }, 201: { description: 'made', schema: purgeSchedule } },
  errors: ['INVALID_PARAMETER', 'QUOTA_EXCEEDED'],
});
export const deletePurgeSchedule = defineOperation({
  id: 'delete-purge-schedule',
  method: 'DELETE',
  path: '/berth/v1/purge-schedules/{schedule}',
  source: 'Berth; acr purge',
  permission: operator,
  summary: 'Deletes the schedule of a purge; one that runs goes on to its end.',
  params: scheduleName,
  responses: { 204: { description: 'deleted' } },
  errors: ['NOT_FOUND'],
});
