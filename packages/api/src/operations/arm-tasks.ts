import { Type } from '../schema.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { list, may, ofRegistry, registry, registryType, resource, version } from './arm-words.ts';

/** Runs, and what is asked of tasks, in the resource manager's words (acr-tasks 6.3). */

const source = 'acr-tasks 6.3';
const byRun = `${registry}/runs/{runId}` as const;
const shown = { description: 'the run', schema: resource };

/** `type` tells requests apart; their other members are read one by one. */
const runRequest = Type.Object({
  type: Type.String({
    description: '`DockerBuildRequest`, `FileTaskRunRequest`, `EncodedTaskRunRequest` or `TaskRunRequest`',
  }),
});

export const scheduleRun = defineOperation({
  id: 'arm-schedule-run',
  method: 'POST',
  path: `${registry}/scheduleRun`,
  source,
  permission: may(`${registryType}/scheduleRun/action`),
  summary: 'Queues a build, a task file or a run of a task. At most 1 MiB.',
  query: version,
  body: runRequest,
  maxBodyBytes: 2 ** 20,
  responses: { 200: shown },
  errors: [...ofRegistry, 'INVALID_PARAMETER', 'TASK_FILE_INVALID', 'TOOMANYREQUESTS'],
});
export const listBuildSourceUploadUrl = defineOperation({
  id: 'arm-list-build-source-upload-url',
  method: 'POST',
  path: `${registry}/listBuildSourceUploadUrl`,
  source,
  permission: may(`${registryType}/listBuildSourceUploadUrl/action`),
  summary: 'Gives a signed address that takes the files of one build, and what `scheduleRun` calls them.',
  query: version,
  responses: {
    200: {
      description: 'the address',
      schema: Type.Object({ uploadUrl: Type.String(), relativePath: Type.String() }),
    },
  },
  errors: [...ofRegistry, 'TOOMANYREQUESTS'],
});
export const listRuns = defineOperation({
  id: 'arm-list-runs',
  method: 'GET',
  path: `${registry}/runs`,
  source,
  permission: may(`${registryType}/runs/read`),
  summary:
    'Lists runs, the newest first; `$filter` compares runId, runType, status, createTime, finishTime, outputImageManifests, isArchiveEnabled, taskName and agentPoolName.',
  query: Type.Object({
    ...version.properties,
    $filter: Type.Optional(Type.String()),
    $top: Type.Optional(Type.String({ description: 'how many altogether, 1 to 1000' })),
  }),
  responses: { 200: { description: 'the runs', schema: list } },
  errors: [...ofRegistry, 'INVALID_PARAMETER'],
});
export const getRun = defineOperation({
  id: 'arm-get-run',
  method: 'GET',
  path: byRun,
  source,
  permission: may(`${registryType}/runs/read`),
  summary: 'Describes a run.',
  query: version,
  responses: { 200: shown },
  errors: ofRegistry,
});
export const patchRun = defineOperation({
  id: 'arm-patch-run',
  method: 'PATCH',
  path: byRun,
  source,
  permission: may(`${registryType}/runs/write`),
  summary: 'Keeps a run and its log beyond their time, or no longer.',
  query: version,
  body: Type.Object({ isArchiveEnabled: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])) }),
  responses: { 200: shown },
  errors: [...ofRegistry, 'INVALID_PARAMETER'],
});
export const cancelRun = defineOperation({
  id: 'arm-cancel-run',
  method: 'POST',
  path: `${byRun}/cancel`,
  source: 'acr-tasks 6.4',
  permission: may(`${registryType}/runs/cancel/action`),
  summary: 'Cancels a run: at once while it is queued, otherwise its agent stops it.',
  query: version,
  responses: { 200: { description: 'it is canceled, or will be' } },
  errors: ofRegistry,
});
export const listLogSasUrl = defineOperation({
  id: 'arm-list-log-sas-url',
  method: 'POST',
  path: `${byRun}/listLogSasUrl`,
  source: 'acr-tasks 6.6',
  permission: may(`${registryType}/runs/listLogSasUrl/action`),
  summary: 'Gives a signed address that the log of a run can be read from, while it grows, too.',
  query: version,
  responses: { 200: { description: 'the address', schema: Type.Object({ logLink: Type.String() }) } },
  errors: ofRegistry,
});

/** Asked of one child by POST; the feature that owns the kind answers. */
function detail(collection: 'tasks' | 'taskRuns' | 'agentPools', verb: string, summary: string): Operation {
  const word = { tasks: 'task', taskRuns: 'task-run', agentPools: 'agent-pool' }[collection];
  return defineOperation({
    id: `arm-${word}-${verb.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    method: 'POST',
    path: `${registry}/${collection}/{childName}/${verb}`,
    source,
    permission: may(`${registryType}/${collection}/${verb}/action`),
    summary,
    query: version,
    responses: { 200: { description: 'the answer', schema: Type.Object({}) } },
    errors: ofRegistry,
  });
}

export const listTaskDetails = detail('tasks', 'listDetails', 'Describes a task with its secrets.');
export const listTaskRunDetails = detail('taskRuns', 'listDetails', 'Describes a task run with the secrets of its request.');
export const listQueueStatus = detail('agentPools', 'listQueueStatus', 'Counts the runs that wait in a pool.');
