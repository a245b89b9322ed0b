import type { NamedValue, RunToQueue, RunWork } from '@berth/api';
import { type Fields, invalid } from '../resources/index.ts';
import type { TaskOverrides } from './model.ts';
import { withOwnVersion } from './own-version.ts';
import { readNamedValues } from './read-named-values.ts';
import { parseSourceLocation } from './source-location.ts';
import { type WireCredentials, readCredentials } from './wire-credentials.ts';

/** A request of the resource manager that wants a run, read but not looked up (acr-tasks 6.3). */
export type ParsedRunRequest = { readonly isArchiveEnabled: boolean } & (
  | {
      readonly kind: 'run';
      readonly request: RunToQueue;
      readonly runType: 'QuickBuild' | 'QuickRun';
      readonly credentials: WireCredentials | undefined;
    }
  | {
      readonly kind: 'task';
      /** Its name. */
      readonly task: string;
      readonly overrides: TaskOverrides;
    }
);

const requestTypes = ['DockerBuildRequest', 'FileTaskRunRequest', 'EncodedTaskRunRequest', 'TaskRunRequest'] as const;
const maxContentLength = 1_500_000;

/** Reads a `DockerBuildRequest`, `FileTaskRunRequest`, `EncodedTaskRunRequest` or `TaskRunRequest`. @throws INVALID_PARAMETER */
export function parseRunRequest(body: Fields): ParsedRunRequest {
  const type = body.oneOf('type', requestTypes);
  if (type === undefined) throw invalid(body.at('type'), `is missing: one of ${requestTypes.join(', ')}`);
  const isArchiveEnabled = body.boolean('isArchiveEnabled') ?? false;
  if (type === 'TaskRunRequest')
    return { kind: 'task', isArchiveEnabled, task: taskNameOf(body), overrides: readOverrides(body) };
  const platform = readPlatform(body);
  const work =
    type === 'DockerBuildRequest' ? readBuild(body, platform) : type === 'FileTaskRunRequest' ? readFile(body) : readInline(body);
  const { source, token } = parseSourceLocation(body.text('sourceLocation', 4096), body.at('sourceLocation'));
  const values = type === 'DockerBuildRequest' ? undefined : readNamedValues(body, 'values');
  const timeoutSeconds = body.integer('timeout', { min: 300, max: 28_800 });
  const agentPool = body.text('agentPoolName');
  return {
    kind: 'run',
    isArchiveEnabled,
    runType: type === 'DockerBuildRequest' ? 'QuickBuild' : 'QuickRun',
    credentials: readCredentials(body),
    request: {
      work,
      platform,
      ...(source !== undefined && { source: source.kind === 'git' && token !== undefined ? { ...source, token } : source }),
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      ...(agentPool !== undefined && agentPool !== '' && { agentPool }),
      ...(values !== undefined && { values: [...values] }),
    },
  };
}

/** `…/registries/NAME/tasks/TASK`, or its name alone, as older clients send it. */
function taskNameOf(body: Fields): string {
  const id = body.text('taskId', 2048) ?? body.text('taskName');
  if (id === undefined || id === '') throw invalid(body.at('taskId'), 'is missing');
  const name = /^(?:.*\/tasks\/)?([A-Za-z0-9_-]{1,64})$/i.exec(id)?.[1];
  if (name === undefined) throw invalid(body.at('taskId'), 'must be the id of a task: …/registries/NAME/tasks/TASK');
  return name;
}

/** What a request replaces of its task. @throws INVALID_PARAMETER */
function readOverrides(body: Fields): TaskOverrides {
  const given = body.object('overrideTaskStepProperties');
  const values = readNamedValues(given, 'values') ?? readNamedValues(body, 'values');
  const replaced = readNamedValues(given, 'arguments');
  const [target, contextPath, file] = [given.text('target'), given.text('contextPath', 4096), given.text('file')];
  const updateToken = given.text('updateTriggerToken', 4096);
  parseSourceLocation(contextPath, given.at('contextPath'));
  return {
    ...(values !== undefined && { values }),
    ...(replaced !== undefined && { arguments: replaced }),
    ...(target !== undefined && { target }),
    ...(contextPath !== undefined && contextPath !== '' && { contextPath }),
    ...(file !== undefined && file !== '' && { file }),
    ...(updateToken !== undefined && { updateToken }),
  };
}

type Platform = NonNullable<RunToQueue['platform']>;

/** @throws INVALID_PARAMETER */
function readPlatform(body: Fields): Platform {
  const platform = body.object('platform');
  const os = platform.oneOf('os', ['Linux', 'Windows']);
  if (os === undefined) throw invalid(platform.at('os'), 'is missing: Linux or Windows');
  const architecture = platform.oneOf('architecture', ['amd64', 'x86', '386', 'arm', 'arm64']) ?? 'amd64';
  const variant = platform.oneOf('variant', ['v6', 'v7', 'v8']);
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

/** What a Docker step or request says, with ACR's defaults. @throws INVALID_PARAMETER */
export function buildWork(facts: {
  readonly imageNames: readonly string[];
  readonly isPushEnabled: boolean;
  readonly noCache: boolean;
  readonly dockerFilePath: string;
  readonly target: string | undefined;
  readonly arguments: readonly NamedValue[];
  readonly platforms: readonly string[] | undefined;
  readonly sbom: boolean | undefined;
  readonly provenance: boolean | undefined;
  readonly platform: Platform;
}): RunWork {
  const { imageNames, isPushEnabled, noCache, dockerFilePath, target, platform } = facts;
  const platforms = facts.platforms ?? foreignPlatform(platform);
  return {
    kind: 'build',
    dockerfile: dockerFilePath,
    images: [...imageNames],
    // What has no name cannot be pushed: ACR builds it all the same.
    isPushed: isPushEnabled && imageNames.length > 0,
    noCache,
    ...(target !== undefined && target !== '' && { target }),
    arguments: [...facts.arguments],
    ...(platforms !== undefined && { platforms: [...platforms] }),
    ...(facts.sbom === true && { sbom: true }),
    ...(facts.provenance === true && { provenance: true }),
  };
}

/** Other architectures than the usual one are built for by name: an agent may emulate them. */
function foreignPlatform({ os, architecture = 'amd64', variant }: Platform): readonly string[] | undefined {
  if (architecture === 'amd64') return undefined;
  return [
    [os.toLowerCase(), architecture === 'x86' ? '386' : architecture, ...(variant === undefined ? [] : [variant])].join('/'),
  ];
}

function readBuild(body: Fields, platform: Platform): RunWork {
  return buildWork({
    imageNames: body.texts('imageNames', 100) ?? [],
    isPushEnabled: body.boolean('isPushEnabled') ?? true,
    noCache: body.boolean('noCache') ?? false,
    dockerFilePath: body.text('dockerFilePath') ?? 'Dockerfile',
    target: body.text('target'),
    arguments: readNamedValues(body, 'arguments') ?? [],
    platforms: body.texts('platforms', 10),
    sbom: body.boolean('sbom'),
    provenance: body.boolean('provenance'),
    platform,
  });
}

function readFile(body: Fields): RunWork {
  const valuesPath = body.text('valuesFilePath');
  return {
    kind: 'file',
    path: body.requiredText('taskFilePath'),
    ...(valuesPath !== undefined && valuesPath !== '' && { valuesPath }),
  };
}

function readInline(body: Fields): RunWork {
  const content = body.requiredText('encodedTaskContent', maxContentLength);
  const values = body.text('encodedValuesContent', maxContentLength);
  return {
    kind: 'inline',
    content: withOwnVersion(decoded(content, body.at('encodedTaskContent'))),
    ...(values !== undefined && values !== '' && { valuesContent: decoded(values, body.at('encodedValuesContent')) }),
  };
}

/** Base64 of a text. @throws INVALID_PARAMETER */
export function decoded(text: string, at: string): string {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) throw invalid(at, 'must be base64');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    throw invalid(at, 'must be base64 of a text in UTF-8');
  }
}
