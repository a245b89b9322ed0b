import { Type } from '../schema.ts';

/** Words that the operations of tasks, runs and agents share (acr-tasks). */

export const strict = { additionalProperties: false } as const;
export const textOrNull = Type.Union([Type.String(), Type.Null()]);
export const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);

/** `--set`, `--arg` and their secret kin. */
export const namedValue = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 256 }), value: Type.String(), isSecret: Type.Optional(Type.Boolean()) },
  strict,
);

/** Where the files of a run come from; without one there are none. */
export const source = Type.Union([
  Type.Object({ kind: Type.Literal('upload'), id: Type.String() }, strict),
  Type.Object(
    {
      kind: Type.Literal('git'),
      url: Type.String({ description: 'without #ref:folder' }),
      ref: Type.Optional(Type.String({ description: 'branch, tag, commit, pull/N/head or pull/N/merge' })),
      folder: Type.Optional(Type.String()),
      token: Type.Optional(Type.String({ description: 'a secret: never shown again' })),
      commit: Type.Optional(Type.String({ description: 'check out exactly this one, of ref' })),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('archive'), url: Type.String() }, strict),
  Type.Object({ kind: Type.Literal('oci'), reference: Type.String({ description: 'registry/repository:tag' }) }, strict),
]);

/** What a run does: one build, a task file of its source, or a task file that comes with the request (acr-tasks 6.3). */
export const work = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('build'),
      dockerfile: Type.Optional(Type.String({ description: 'in the source; Dockerfile' })),
      images: Type.Array(Type.String({ description: 'repository:tag, templates allowed; the registry goes before it' })),
      isPushed: Type.Optional(Type.Boolean()),
      noCache: Type.Optional(Type.Boolean()),
      target: Type.Optional(Type.String()),
      arguments: Type.Optional(Type.Array(namedValue)),
      platforms: Type.Optional(Type.Array(Type.String({ description: 'such as linux/arm64; several make one index' }))),
      sbom: Type.Optional(Type.Boolean()),
      provenance: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('file'),
      path: Type.String({ description: 'of the task file, in the source' }),
      valuesPath: Type.Optional(Type.String()),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('inline'),
      content: Type.String({ description: 'the task file' }),
      valuesContent: Type.Optional(Type.String({ description: 'YAML' })),
    },
    strict,
  ),
]);

export const platform = Type.Object(
  {
    os: Type.Union([Type.Literal('Linux'), Type.Literal('Windows')]),
    architecture: Type.Optional(Type.String()),
    variant: Type.Optional(Type.String()),
  },
  strict,
);

/** Another registry that a run may pull from and push to. */
export const registryLogin = Type.Object(
  {
    server: Type.String(),
    username: Type.String(),
    password: Type.String(),
    isPlainHttp: Type.Optional(
      Type.Boolean({ description: "it speaks no TLS; by itself, registries of the agent's own machine" }),
    ),
  },
  strict,
);

export const runStatus = Type.Union([
  Type.Literal('Queued'),
  Type.Literal('Started'),
  Type.Literal('Running'),
  Type.Literal('Succeeded'),
  Type.Literal('Failed'),
  Type.Literal('Canceled'),
  Type.Literal('Error'),
  Type.Literal('Timeout'),
]);

/** An image that a run pushed. */
export const outputImage = Type.Object({
  registry: Type.String(),
  repository: Type.String(),
  tag: textOrNull,
  digest: Type.String(),
  sizeBytes: Type.Optional(Type.Integer({ description: 'of the manifest with its blobs; of an index, of all its images' })),
  platforms: Type.Optional(Type.Array(Type.String())),
});

/** An image that a built image was made from, by the digest that was used (acr-tasks 5.1). */
export const baseImage = Type.Object({
  role: Type.Union([Type.Literal('runtime'), Type.Literal('buildtime')]),
  registry: Type.String(),
  repository: Type.String(),
  tag: textOrNull,
  digest: Type.String(),
  platform: Type.Optional(Type.String()),
});

/** What an image that was built depends on. `image` is null when it was not pushed. */
export const dependency = Type.Object({
  step: Type.String(),
  image: Type.Union([outputImage, Type.Null()]),
  bases: Type.Array(baseImage),
  gitCommit: textOrNull,
});

const stepState = Type.Union([
  Type.Literal('waiting'),
  Type.Literal('running'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('canceled'),
  Type.Literal('skipped'),
]);

export const step = Type.Object({
  id: Type.String(),
  kind: Type.Union([Type.Literal('build'), Type.Literal('push'), Type.Literal('cmd')]),
  state: stepState,
  startedAt: textOrNull,
  finishedAt: textOrNull,
  exitCode: integerOrNull,
  attempts: Type.Integer(),
  reason: Type.Optional(Type.String({ description: 'why it failed, was skipped or goes on' })),
});

/** One line of a log. */
export const logRecord = Type.Object({
  time: Type.Integer({ description: 'milliseconds since the Unix epoch' }),
  step: Type.String({ description: 'empty: of the run itself' }),
  stream: Type.Union([Type.Literal('agent'), Type.Literal('stdout'), Type.Literal('stderr')]),
  text: Type.String({ description: 'without its end of line' }),
});

export const run = Type.Object({
  id: Type.String(),
  status: runStatus,
  runType: Type.Union([Type.Literal('QuickBuild'), Type.Literal('QuickRun'), Type.Literal('AutoBuild'), Type.Literal('AutoRun')]),
  task: textOrNull,
  platform,
  agentPool: textOrNull,
  agent: textOrNull,
  requestedBy: Type.String(),
  createdAt: Type.String(),
  startedAt: textOrNull,
  finishedAt: textOrNull,
  updatedAt: Type.String(),
  timeoutSeconds: Type.Integer(),
  error: textOrNull,
  /** Null once it has left the queue. `position` counts from 1. */
  queue: Type.Union([Type.Object({ position: Type.Integer(), reason: Type.String() }), Type.Null()]),
  trigger: Type.Union([Type.Object({ kind: Type.String() }), Type.Null()]),
  steps: Type.Array(step),
  images: Type.Array(outputImage),
  dependencies: Type.Array(dependency),
  logRecords: Type.Integer(),
  isArchived: Type.Boolean(),
});

/** Everything that an agent needs to execute a run. */
export const assignment = Type.Object({
  run: Type.Object({
    id: Type.String(),
    registry: Type.String({ description: 'login server' }),
    registryName: Type.String(),
    date: Type.String({ description: '.Run.Date: yyyyMMdd-HHmmssz' }),
    taskName: Type.String(),
    triggeredBy: Type.String(),
    commit: Type.String(),
    branch: Type.String(),
  }),
  lease: Type.String(),
  leaseSeconds: Type.Integer(),
  timeoutSeconds: Type.Integer({ description: 'from now on' }),
  work,
  source: Type.Union([source, Type.Null()]),
  platform,
  values: Type.Array(namedValue),
  /** This registry's goes first. Its rights are those of the run. */
  logins: Type.Array(registryLogin),
  /** False for pull requests from forks: secrets are refused, and nothing is pushed. */
  isTrusted: Type.Boolean(),
  cacheKey: Type.String({ description: 'runs with the same one may share a cache; empty: none' }),
  logFrom: Type.Integer({ minimum: 0, description: 'number of the first record of its log that is the agent’s' }),
});
