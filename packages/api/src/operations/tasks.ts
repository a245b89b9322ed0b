import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';
import { namedValue, run, strict, textOrNull } from './run-words.ts';

/** Tasks: what is run again and again, what makes it run, and why it did or did not. */

const operator = { kind: 'operator' } as const;
const byName = Type.Object({ task: Type.String() });

/** `properties` are those of the resource manager's `tasks` (acr-tasks 6.3), secrets left out. */
const task = Type.Object({
  name: Type.String(),
  createdAt: Type.String(),
  updatedAt: Type.String(),
  properties: Type.Object({}),
});

export const listTasks = defineOperation({
  id: 'list-tasks',
  method: 'GET',
  path: '/berth/v1/tasks',
  source: 'Berth; acr-tasks 6.3',
  permission: operator,
  summary: 'Lists the tasks of the registry.',
  responses: { 200: { description: 'the tasks, by name', schema: Type.Object({ tasks: Type.Array(task) }) } },
  errors: [],
});
export const getTask = defineOperation({
  id: 'get-task',
  method: 'GET',
  path: '/berth/v1/tasks/{task}',
  source: 'Berth; acr-tasks 6.3',
  permission: operator,
  summary: 'Shows a task.',
  params: byName,
  responses: { 200: { description: 'the task', schema: task } },
  errors: ['NOT_FOUND'],
});
export const putTask = defineOperation({
  id: 'put-task',
  method: 'PUT',
  path: '/berth/v1/tasks/{task}',
  source: 'Berth; acr-tasks 6.3',
  permission: operator,
  summary: 'Makes or replaces a task; its properties are those of the resource manager. At most 1 MiB.',
  params: byName,
  maxBodyBytes: 2 ** 20,
  body: Type.Object({ properties: Type.Object({}) }, strict),
  responses: { 200: { description: 'replaced', schema: task }, 201: { description: 'made', schema: task } },
  errors: ['INVALID_PARAMETER', 'TASK_FILE_INVALID', 'QUOTA_EXCEEDED', 'CONFLICT'],
});
export const updateTask = defineOperation({
  id: 'update-task',
  method: 'PATCH',
  path: '/berth/v1/tasks/{task}',
  source: 'Berth; acr-tasks 6.3',
  permission: operator,
  summary:
    'Changes a task: what its properties leave out stays, secrets too, and triggers are told apart by their names. At most 1 MiB.',
  params: byName,
  maxBodyBytes: 2 ** 20,
  body: Type.Object({ properties: Type.Object({}) }, strict),
  responses: { 200: { description: 'changed', schema: task } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'TASK_FILE_INVALID', 'CONFLICT'],
});
export const deleteTask = defineOperation({
  id: 'delete-task',
  method: 'DELETE',
  path: '/berth/v1/tasks/{task}',
  source: 'Berth; acr-tasks 6.3',
  permission: operator,
  summary: 'Deletes a task; its runs stay.',
  params: byName,
  responses: { 204: { description: 'deleted' } },
  errors: ['NOT_FOUND'],
});
export const runTask = defineOperation({
  id: 'run-task',
  method: 'POST',
  path: '/berth/v1/tasks/{task}/runs',
  source: 'Berth; acr-tasks 6.3',
  permission: operator,
  summary: 'Queues a run of a task now, with some of its values replaced.',
  params: byName,
  body: Type.Object(
    {
      values: Type.Optional(Type.Array(namedValue)),
      arguments: Type.Optional(Type.Array(namedValue)),
      target: Type.Optional(Type.String()),
      contextPath: Type.Optional(Type.String()),
      file: Type.Optional(Type.String()),
    },
    strict,
  ),
  responses: { 202: { description: 'queued', schema: run } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'TASK_FILE_INVALID', 'TOOMANYREQUESTS'],
});

const decision = Type.Object({
  time: Type.String(),
  trigger: Type.String({ description: 'its name' }),
  kind: Type.Union([Type.Literal('baseImage'), Type.Literal('source'), Type.Literal('timer')]),
  isFired: Type.Boolean(),
  reason: Type.String(),
  run: textOrNull,
  details: Type.Object({}),
});

export const listDecisions = defineOperation({
  id: 'list-trigger-decisions',
  method: 'GET',
  path: '/berth/v1/tasks/{task}/decisions',
  source: 'Berth',
  permission: operator,
  summary: 'Lists what the triggers of a task decided lately and why, the newest first, and what they look at.',
  params: byName,
  query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }),
  responses: {
    200: {
      description: 'the decisions',
      schema: Type.Object({
        decisions: Type.Array(decision),
        baseImages: Type.Array(
          Type.Object({
            image: Type.String(),
            role: Type.String(),
            recordedDigest: Type.String(),
            currentDigest: textOrNull,
            how: Type.String({ description: 'push: at once; poll: now and again' }),
            checkedAt: textOrNull,
            nextCheckAt: textOrNull,
            problem: textOrNull,
          }),
        ),
        timers: Type.Array(Type.Object({ name: Type.String(), schedule: Type.String(), nextAt: textOrNull })),
      }),
    },
  },
  errors: ['NOT_FOUND'],
});

const secret = Type.Object({ name: Type.String(), updatedAt: Type.String() });
const bySecret = Type.Object({ secret: Type.String() });

export const listSecrets = defineOperation({
  id: 'list-task-secrets',
  method: 'GET',
  path: '/berth/v1/secrets',
  source: 'Berth',
  permission: operator,
  summary: 'Lists the names of the secrets that task files can use as https://berth/secrets/NAME. Values are never shown.',
  responses: { 200: { description: 'the names', schema: Type.Object({ secrets: Type.Array(secret) }) } },
  errors: [],
});
export const putSecret = defineOperation({
  id: 'put-task-secret',
  method: 'PUT',
  path: '/berth/v1/secrets/{secret}',
  source: 'Berth',
  permission: operator,
  summary: 'Keeps a secret for task files, sealed, or replaces it.',
  params: bySecret,
  body: Type.Object({ value: Type.String({ maxLength: 25_600 }) }, strict),
  responses: { 200: { description: 'kept', schema: secret } },
  errors: ['INVALID_PARAMETER', 'QUOTA_EXCEEDED'],
});
export const deleteSecret = defineOperation({
  id: 'delete-task-secret',
  method: 'DELETE',
  path: '/berth/v1/secrets/{secret}',
  source: 'Berth',
  permission: operator,
  summary: 'Deletes a secret.',
  params: bySecret,
  responses: { 204: { description: 'deleted' } },
  errors: ['NOT_FOUND'],
});

/** Authenticated by the signature that its handler checks: forges cannot send a password. */
export const receiveHook = defineOperation({
  id: 'receive-source-hook',
  method: 'POST',
  path: '/berth/v1/hooks/{task}/{trigger}',
  source: 'Berth; acr-tasks 6.1',
  permission: { kind: 'public', reason: 'the forge signs what it sends; what is not signed is refused' },
  summary: 'Takes the webhook of a forge: GitHub, GitLab, Azure Repos, Gitea, Bitbucket, or any that signs alike. At most 1 MiB.',
  params: Type.Object({ task: Type.String(), trigger: Type.String() }),
  body: 'stream',
  responses: {
    202: { description: 'taken', schema: Type.Object({ isFired: Type.Boolean(), reason: Type.String(), run: textOrNull }) },
  },
  errors: ['UNAUTHORIZED', 'NOT_FOUND', 'REQUEST_INVALID'],
});
export const getHook = defineOperation({
  id: 'get-source-hook',
  method: 'GET',
  path: '/berth/v1/tasks/{task}/hooks/{trigger}',
  source: 'Berth',
  permission: operator,
  summary: 'Shows the address and the secret to enter at a forge for a source trigger.',
  params: Type.Object({ task: Type.String(), trigger: Type.String() }),
  responses: {
    200: {
      description: 'what to enter',
      schema: Type.Object({
        url: Type.String(),
        secret: Type.String(),
        isInstalled: Type.Boolean({ description: 'the server has entered it by itself, with the token of the trigger' }),
        problem: textOrNull,
      }),
    },
  },
  errors: ['NOT_FOUND'],
});
