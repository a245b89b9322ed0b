import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';
import {
  integerOrNull,
  logRecord,
  namedValue,
  platform,
  registryLogin,
  run,
  runStatus,
  source,
  strict,
  textOrNull,
  work,
} from './run-words.ts';

/** Runs: queue one, watch it, cancel it, read its log. */

const authenticated = { kind: 'authenticated' } as const;
const byId = Type.Object({ run: Type.String() });

export const queueRun = defineOperation({
  id: 'queue-run',
  method: 'POST',
  path: '/berth/v1/runs',
  source: 'Berth; acr-tasks 6.3',
  permission: authenticated,
  summary:
    'Queues a build, for whoever may push its images and pull everything; any other run takes whoever runs the registry. At most 1 MiB.',
  maxBodyBytes: 2 ** 20,
  body: Type.Object(
    {
      work,
      source: Type.Optional(source),
      platform: Type.Optional(platform),
      timeoutSeconds: Type.Optional(Type.Integer({ minimum: 300, maximum: 28_800 })),
      agentPool: Type.Optional(Type.String()),
      values: Type.Optional(Type.Array(namedValue)),
      logins: Type.Optional(Type.Array(registryLogin)),
    },
    strict,
  ),
  responses: { 202: { description: 'queued', schema: run } },
  errors: ['DENIED', 'INVALID_PARAMETER', 'TASK_FILE_INVALID', 'TOOMANYREQUESTS'],
});
export const listRuns = defineOperation({
  id: 'list-runs',
  method: 'GET',
  path: '/berth/v1/runs',
  source: 'Berth; acr-tasks 6.3',
  permission: authenticated,
  summary: 'Lists runs, the newest first; only those of their own for whoever does not run the registry.',
  query: Type.Object({
    task: Type.Optional(Type.String()),
    status: Type.Optional(runStatus),
    agentPool: Type.Optional(Type.String()),
    image: Type.Optional(Type.String({ description: 'repository, repository:tag or digest that a run pushed' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    before: Type.Optional(Type.String({ description: 'the id of the last run that is known' })),
  }),
  responses: { 200: { description: 'the runs', schema: Type.Object({ runs: Type.Array(run), next: textOrNull }) } },
  errors: ['INVALID_PARAMETER'],
});
export const getRun = defineOperation({
  id: 'get-run',
  method: 'GET',
  path: '/berth/v1/runs/{run}',
  source: 'Berth; acr-tasks 6.3',
  permission: authenticated,
  summary: 'Shows a run: its status, its steps, what it pushed and what that depends on.',
  params: byId,
  responses: { 200: { description: 'the run', schema: run } },
  errors: ['NOT_FOUND'],
});
export const cancelRun = defineOperation({
  id: 'cancel-run',
  method: 'POST',
  path: '/berth/v1/runs/{run}/cancel',
  source: 'Berth; acr-tasks 6.4',
  permission: authenticated,
  summary: 'Cancels a run: at once while it is queued, otherwise its agent stops it. One that has ended stays as it is.',
  params: byId,
  body: Type.Object({}, strict),
  responses: { 202: { description: 'the run', schema: run } },
  errors: ['NOT_FOUND'],
});
export const archiveRun = defineOperation({
  id: 'archive-run',
  method: 'PATCH',
  path: '/berth/v1/runs/{run}',
  source: 'Berth; acr-tasks 6.3',
  permission: { kind: 'operator' },
  summary: 'Keeps a run and its log beyond their time, or no longer.',
  params: byId,
  body: Type.Object({ isArchived: Type.Boolean() }, strict),
  responses: { 200: { description: 'the run', schema: run } },
  errors: ['NOT_FOUND'],
});
export const readLog = defineOperation({
  id: 'read-run-log',
  method: 'GET',
  path: '/berth/v1/runs/{run}/log',
  source: 'Berth',
  permission: authenticated,
  summary:
    'Reads the log of a run, a page at a time; with `Accept: text/event-stream` live: events `log` (a record with its number as id), `run` (the run, at each change) and, at the end, `end`. `Last-Event-ID` goes on where a connection broke.',
  params: byId,
  query: Type.Object({
    from: Type.Optional(Type.Integer({ minimum: 0, description: 'number of the first record' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    step: Type.Optional(Type.String()),
    search: Type.Optional(Type.String({ description: 'only records with this text, whatever its case' })),
  }),
  responses: {
    200: {
      description: 'the records; `next` is null at the end of the log of a run that has ended',
      schema: Type.Object({
        records: Type.Array(Type.Object({ number: Type.Integer(), ...logRecord.properties })),
        next: integerOrNull,
      }),
    },
  },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER'],
});
export const uploadSource = defineOperation({
  id: 'upload-source',
  method: 'POST',
  path: '/berth/v1/sources',
  source: 'Berth; acr-tasks 3',
  permission: authenticated,
  summary: 'Uploads the files of a run as a tar archive, plain or compressed; it is sealed, and kept until its run has ended.',
  body: 'stream',
  responses: {
    201: { description: 'kept', schema: Type.Object({ id: Type.String(), sizeBytes: Type.Integer(), expiresAt: Type.String() }) },
  },
  errors: ['SIZE_INVALID', 'TOOMANYREQUESTS', 'STORAGE_FULL'],
});
