import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';
import { assignment, dependency, integerOrNull, logRecord, outputImage, step, strict, textOrNull } from './run-words.ts';

/** What agents and the server say to one another, and the keys that agents sign in with. */

const agent = { kind: 'agent' } as const;
const operator = { kind: 'operator' } as const;
const byRun = Type.Object({ run: Type.String() });

export const claimRun = defineOperation({
  id: 'claim-run',
  method: 'POST',
  path: '/berth/v1/agent/claims',
  source: 'Berth',
  permission: agent,
  summary:
    'Takes the run that has waited the longest and that the agent can execute, waiting for one a while. Runs leased to this agent that it does not hold any more end with an error.',
  body: Type.Object(
    {
      agent: Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 100 }),
          version: Type.String({ maxLength: 50 }),
          engine: Type.String({ maxLength: 50, description: 'docker, podman or buildah' }),
          engineVersion: Type.String({ maxLength: 100 }),
          os: Type.Union([Type.Literal('Linux'), Type.Literal('Windows')]),
          architectures: Type.Array(Type.String({ description: 'such as amd64; emulated ones, too' })),
          capacity: Type.Integer({ minimum: 1, maximum: 1000 }),
        },
        strict,
      ),
      holds: Type.Array(Type.String({ description: 'ids of runs that it executes now' })),
      waitSeconds: Type.Integer({ minimum: 0, maximum: 50 }),
    },
    strict,
  ),
  responses: {
    200: { description: 'execute this', schema: assignment },
    204: { description: 'there is nothing to do: ask again' },
  },
  errors: [],
});
export const reportRun = defineOperation({
  id: 'report-run',
  method: 'POST',
  path: '/berth/v1/agent/runs/{run}/reports',
  source: 'Berth',
  permission: agent,
  summary:
    'Prolongs the lease of a run, and tells what is new: lines of the log, states of steps, the end. What was said before may be said again. At most 1 MiB.',
  params: byRun,
  maxBodyBytes: 2 ** 20,
  body: Type.Object(
    {
      /** Number of the first of `log`; records that are known already are passed over. */
      logFrom: Type.Optional(Type.Integer({ minimum: 0 })),
      log: Type.Optional(Type.Array(logRecord)),
      /** All steps, once they are known. */
      steps: Type.Optional(Type.Array(step)),
      /** Of the source, as it was found. */
      commit: Type.Optional(Type.String()),
      branch: Type.Optional(Type.String()),
      end: Type.Optional(
        Type.Object(
          {
            outcome: Type.Union([
              Type.Literal('Succeeded'),
              Type.Literal('Failed'),
              Type.Literal('Canceled'),
              Type.Literal('Error'),
              Type.Literal('Timeout'),
            ]),
            message: textOrNull,
            images: Type.Array(outputImage),
            dependencies: Type.Array(dependency),
            /** `repository:tag`, each beginning `_berth-<run>-`: to be untagged again. */
            temporaryTags: Type.Array(Type.String()),
          },
          strict,
        ),
      ),
    },
    strict,
  ),
  responses: {
    200: {
      description: 'kept',
      schema: Type.Object({
        isCanceled: Type.Boolean(),
        leaseSeconds: Type.Integer(),
        logRecords: Type.Integer({ description: 'records that are kept by now' }),
      }),
    },
  },
  errors: ['NOT_FOUND', 'LEASE_LOST'],
});
export const readAgentSource = defineOperation({
  id: 'read-agent-source',
  method: 'GET',
  path: '/berth/v1/agent/runs/{run}/source',
  source: 'Berth',
  permission: agent,
  summary: 'Downloads the archive that was uploaded for a run.',
  params: byRun,
  responses: { 200: { description: 'the archive' } },
  errors: ['NOT_FOUND', 'LEASE_LOST'],
});
export const resolveSecrets = defineOperation({
  id: 'resolve-run-secrets',
  method: 'POST',
  path: '/berth/v1/agent/runs/{run}/secrets',
  source: 'Berth; acr-tasks 1.1',
  permission: agent,
  summary: 'Gives the values of the secrets that a task file names, unless the run may have none.',
  params: byRun,
  body: Type.Object(
    {
      secrets: Type.Array(
        Type.Object({ id: Type.String(), keyvault: Type.String(), clientId: Type.Optional(Type.String()) }, strict),
      ),
    },
    strict,
  ),
  responses: {
    200: {
      description: 'the values, by id',
      schema: Type.Object({ secrets: Type.Array(Type.Object({ id: Type.String(), value: Type.String() })) }),
    },
  },
  errors: ['NOT_FOUND', 'LEASE_LOST', 'DENIED', 'INVALID_PARAMETER', 'UPSTREAM_FAILED'],
});

const agentKey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  agentPool: textOrNull,
  isShared: Type.Boolean({ description: 'its agents take runs of every registry of the deployment' }),
  createdAt: Type.String(),
});

export const listAgentKeys = defineOperation({
  id: 'list-agent-keys',
  method: 'GET',
  path: '/berth/v1/agent-keys',
  source: 'Berth',
  permission: operator,
  summary: 'Lists the keys that agents of the registry sign in with.',
  responses: { 200: { description: 'the keys', schema: Type.Object({ keys: Type.Array(agentKey) }) } },
  errors: [],
});
export const createAgentKey = defineOperation({
  id: 'create-agent-key',
  method: 'POST',
  path: '/berth/v1/agent-keys',
  source: 'Berth',
  permission: operator,
  summary: 'Makes a key for agents; its value is shown this once.',
  body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }), agentPool: Type.Optional(Type.String()) }, strict),
  responses: {
    201: { description: 'made', schema: Type.Object({ ...agentKey.properties, key: Type.String() }) },
  },
  errors: ['INVALID_PARAMETER', 'NAME_IN_USE', 'QUOTA_EXCEEDED'],
});
export const deleteAgentKey = defineOperation({
  id: 'delete-agent-key',
  method: 'DELETE',
  path: '/berth/v1/agent-keys/{key}',
  source: 'Berth',
  permission: operator,
  summary: 'Deletes a key: agents that use it can do nothing more, and their runs end with an error.',
  params: Type.Object({ key: Type.String() }),
  responses: { 204: { description: 'deleted' } },
  errors: ['NOT_FOUND'],
});
export const listAgents = defineOperation({
  id: 'list-agents',
  method: 'GET',
  path: '/berth/v1/agents',
  source: 'Berth',
  permission: operator,
  summary: 'Lists the agents that asked for work within the last day.',
  responses: {
    200: {
      description: 'the agents',
      schema: Type.Object({
        agents: Type.Array(
          Type.Object({
            name: Type.String(),
            agentPool: textOrNull,
            version: Type.String(),
            engine: Type.String(),
            engineVersion: Type.String(),
            os: Type.String(),
            architectures: Type.Array(Type.String()),
            capacity: Type.Integer(),
            runs: Type.Array(Type.String()),
            seenAt: Type.String(),
            isOnline: Type.Boolean(),
          }),
        ),
        queue: Type.Array(Type.Object({ agentPool: textOrNull, queued: Type.Integer(), running: Type.Integer() })),
        oldestQueuedSeconds: integerOrNull,
      }),
    },
  },
  errors: [],
});
