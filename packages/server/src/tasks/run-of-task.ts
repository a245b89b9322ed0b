import type { NamedValue, RunSource, RunToQueue, RunWork } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { invalid } from '../resources/index.ts';
import type { NewRun, RunAccess } from '../runs/index.ts';
import type { TaskOverrides, TaskProperties, TaskRun, TaskStep, TaskValue } from './model.ts';
import { withOwnVersion } from './own-version.ts';
import { buildWork } from './parse-run-request.ts';
import { overlaid } from './read-named-values.ts';
import { resolveLogins } from './resolve-logins.ts';
import { openText } from './seal-secrets.ts';
import { parseSourceLocation, tokenHostOf } from './source-location.ts';
import type { TasksContext } from './tasks-context.ts';

/** What a run of a task asks for. @throws INVALID_PARAMETER, KEY_UNAVAILABLE, UPSTREAM_FAILED */
export async function runOfTask(context: TasksContext, run: TaskRun): Promise<NewRun> {
  const { registry, task, requestedBy, trigger, isTrusted = true, overrides = {} } = run;
  const { properties, name } = task;
  const { step, credentials, access } = properties;
  if (step === undefined)
    throw invalid('taskId', `names the system task ${name}, which has no step of its own and cannot be run by itself`);
  if (properties.status === 'Disabled')
    throw invalid('taskId', `names the task ${name}, which is disabled: enable it first (status: Enabled)`);
  const values = 'values' in step ? valuesOf(context, run, step.values, overrides.values) : undefined;
  const source = sourceOf(context, run, step);
  const logins = isTrusted
    ? await resolveLogins(
        context,
        registry,
        Object.entries(credentials?.customRegistries ?? {}).map(([server, login]) => ({ server, ...login })),
      )
    : [];
  const request: RunToQueue = {
    work: workOf(context, run, step),
    platform: { ...properties.platform },
    timeoutSeconds: properties.timeout,
    ...(source !== undefined && { source }),
    ...(properties.agentPoolName !== undefined && { agentPool: properties.agentPoolName }),
    ...(values !== undefined && { values: [...values] }),
    ...(logins.length > 0 && { logins: [...logins] }),
  };
  const given = accessOf(credentials, access);
  return {
    registry,
    request,
    runType: `${trigger === undefined ? 'Quick' : 'Auto'}${step.type === 'Docker' ? 'Build' : 'Run'}`,
    task: name,
    requestedBy,
    ...(trigger !== undefined && { trigger }),
    isTrusted,
    // What a stranger's change leaves in a cache must not reach the task's own runs (attack 33).
    ...(isTrusted && { cacheKey: `task:${name}` }),
    ...(overrides.updateToken !== undefined && { updateToken: overrides.updateToken }),
    ...(given !== undefined && { access: given }),
  };
}

/** Undefined: by the kind of the run. */
function accessOf(
  credentials: TaskProperties['credentials'],
  access: TaskProperties['access'],
): readonly RunAccess[] | undefined {
  if (credentials?.sourceRegistry?.loginMode === 'None') return [];
  return access?.map(({ repository, actions }) => ({ type: 'repository', name: repository, actions }));
}

/** The task's own with the run's over them; those of strangers' changes hold no secrets. */
function valuesOf(
  { keys }: TasksContext,
  { registry, isTrusted = true }: TaskRun,
  own: readonly TaskValue[],
  replaced: readonly NamedValue[] = [],
): readonly NamedValue[] {
  const opened = own.flatMap(({ name, value, isSecret }): readonly NamedValue[] => {
    if (typeof value === 'string') return [{ name, value, isSecret }];
    return isTrusted ? [{ name, value: openText(keys, registry.id, value), isSecret }] : [];
  });
  return overlaid(
    opened,
    replaced.filter(({ isSecret }) => isTrusted || isSecret !== true),
  );
}

function workOf(context: TasksContext, run: TaskRun, step: TaskStep): RunWork {
  const { overrides = {}, isTrusted = true, task } = run;
  const { file } = overrides;
  if (step.type === 'Docker')
    return buildWork({
      imageNames: step.imageNames,
      // Nothing of a stranger's change is pushed.
      isPushEnabled: step.isPushEnabled && isTrusted,
      noCache: step.noCache,
      dockerFilePath: file ?? step.dockerFilePath,
      target: overrides.target ?? step.target,
      arguments: valuesOf(context, run, step.arguments, overrides.arguments),
      platforms: step.platforms,
      sbom: step.sbom,
      provenance: step.provenance,
      platform: task.properties.platform,
    });
  if (step.type === 'FileTask')
    return {
      kind: 'file',
      path: file ?? step.taskFilePath,
      ...(step.valuesFilePath !== undefined && { valuesPath: step.valuesFilePath }),
    };
  if (file !== undefined)
    throw new RegistryError('INVALID_PARAMETER', {
      message: `the task ${task.name} brings its task file with it, which "file" cannot replace: change the task`,
      target: 'file',
    });
  const textOf = (encoded: string): string => Buffer.from(encoded, 'base64').toString('utf8');
  return {
    kind: 'inline',
    content: withOwnVersion(textOf(step.encodedTaskContent)),
    ...(step.encodedValuesContent !== undefined && { valuesContent: textOf(step.encodedValuesContent) }),
  };
}

function sourceOf({ keys }: TasksContext, run: TaskRun, step: TaskStep): RunSource | undefined {
  const { registry, overrides = {} } = run;
  const location = parseSourceLocation(overrides.contextPath ?? step.contextPath, 'contextPath');
  const source = location.source?.kind === 'git' ? atCommit(location.source, overrides) : location.source;
  if (source?.kind !== 'git') return source;
  if (location.token !== undefined) return { ...source, token: location.token };
  // The token is for the host that it was given for, whoever asks for the run (attack 30).
  const isItsHost = tokenHostOf(source.url) !== undefined && tokenHostOf(source.url) === tokenHostOf(step.contextPath);
  const sealed = isItsHost ? step.contextAccessToken : undefined;
  return sealed === undefined ? source : { ...source, token: openText(keys, registry.id, sealed) };
}

type GitSource = Extract<RunSource, { kind: 'git' }>;

function atCommit(source: GitSource, { commit }: TaskOverrides): GitSource {
  if (commit === undefined) return source;
  return { ...source, url: commit.url ?? source.url, ref: commit.ref, commit: commit.commit };
}
