import { type AliasTable, expandFirstWord } from '../aliases.ts';
import { parseBuildCommand } from '../command/build-command.ts';
import { parseRunCommand } from '../command/run-command.ts';
import type { Condition } from '../graph/scheduler.ts';
import { type Step, type StepAction, type VolumeMount, workspace } from './model.ts';
import type { NodeReader } from './node-reader.ts';
import { plainStep } from './plain-step.ts';

const kinds = ['build', 'push', 'cmd'] as const;
const properties = [
  ...kinds,
  'id when timeout startDelay ignoreErrors env retries retryDelay retryOnErrors repeat cmdDownloadRetries',
  'cmdDownloadRetryDelay pull entryPoint keep detach privileged user network ports expose isolation cpus workingDirectory',
  'disableWorkingDirectoryOverride cache volumeMounts exitedWith exitedWithout condition',
].flatMap((names) => names.split(' '));

const maxSeconds = 28_800;
const maxTimes = 1000;

/** What a step takes from the file around it. */
export interface StepScene {
  readonly index: number;
  readonly stepTimeoutSeconds: number;
  readonly workingDirectory: string | undefined;
  readonly environment: readonly string[];
  readonly aliases: AliasTable | undefined;
  reveal(text: string): string;
}

/** A step, and what it says about when it runs; undefined when it has no action. */
export function readStep(
  node: NodeReader,
  scene: StepScene,
): (Step & { readonly when: readonly string[] | undefined }) | undefined {
  if (!node.isMap()) {
    node.report(`${node.name} is a step: a map with build, push or cmd`);
    return undefined;
  }
  node.requireKnown(properties);
  const action = readAction(node, scene);
  const id = node.text('id') ?? `acb_step_${scene.index}`;
  if (/\s/.test(id) || id === 'acb_root' || id === '' || id.length > 128)
    node.child('id')?.report('the id of a step has no spaces, is not acb_root, and has 128 characters at the most');
  if (action === undefined) return undefined;
  const reveal = (texts: readonly string[] | undefined): readonly string[] => (texts ?? []).map((text) => scene.reveal(text));
  const environment = [...scene.environment, ...reveal(node.texts('env'))];
  const wrong = environment.find((each) => !/^[^=\s]+(?:=|$)/.test(each));
  if (wrong !== undefined) node.report(`env has ${JSON.stringify(wrong.slice(0, 20))}, which is not NAME=value`);
  const [exitedWith, exitedWithout] = [node.wholes('exitedWith'), node.wholes('exitedWithout')];
  if (exitedWith.length > 0 && exitedWithout.length > 0) node.report('exitedWith and exitedWithout exclude each other');
  const plain = plainStep(id, action, node.whole('timeout', maxSeconds) || scene.stepTimeoutSeconds);
  return {
    ...plain,
    when: node.texts('when'),
    condition: readCondition(node),
    startDelaySeconds: node.whole('startDelay', maxSeconds) ?? plain.startDelaySeconds,
    ignoresErrors: node.flag('ignoreErrors'),
    environment: lastOfEach(environment),
    retries: node.whole('retries', maxTimes) ?? plain.retries,
    retryDelaySeconds: node.whole('retryDelay', maxSeconds) || plain.retryDelaySeconds,
    retryOnErrors: node.texts('retryOnErrors') ?? plain.retryOnErrors,
    repeat: node.whole('repeat', maxTimes) ?? plain.repeat,
    downloadRetries: node.whole('cmdDownloadRetries', maxTimes) ?? plain.downloadRetries,
    downloadRetryDelaySeconds: node.whole('cmdDownloadRetryDelay', maxSeconds) ?? plain.downloadRetryDelaySeconds,
    pulls: node.flag('pull'),
    entryPoint: node.text('entryPoint'),
    isKept: node.flag('keep'),
    isDetached: node.flag('detach'),
    isPrivileged: node.flag('privileged'),
    user: node.text('user'),
    network: node.text('network'),
    ports: node.texts('ports') ?? plain.ports,
    expose: node.texts('expose') ?? plain.expose,
    isolation: node.text('isolation'),
    cpus: node.text('cpus'),
    workingDirectory: readWorkingDirectory(node, scene),
    volumeMounts: readMounts(node, action.kind),
    exitedWith,
    exitedWithout,
    place: node.place,
  };
}

function readAction(node: NodeReader, scene: StepScene): StepAction | undefined {
  const given = kinds.filter((kind) => node.has(kind));
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    node.report(
      kind === undefined
        ? `${node.name} has none of build, push and cmd`
        : `${node.name} has ${given.join(' and ')}: a step has one of them`,
    );
    return undefined;
  }
  if (kind === 'push') return { kind, images: [...new Set((node.texts('push') ?? []).map(tagged))] };
  const child = node.child(kind);
  const text = node.text(kind);
  if (text === undefined || child === undefined) return undefined;
  try {
    if (kind === 'build') {
      const build = parseBuildCommand(text);
      return { kind, build: revealed(build, scene), isCached: readCache(node) };
    }
    const command = parseRunCommand(scene.aliases === undefined ? text : expandFirstWord(text, scene.aliases));
    return { kind, command: revealed(command, scene) };
  } catch (error) {
    child.report(`${child.name} ${error instanceof Error ? error.message : ''}`);
    return undefined;
  }
}

/** Secrets come in after the words are split, so that none becomes two. */
function revealed<Value>(value: Value, scene: StepScene): Value {
  return mapTexts(value, (text) => scene.reveal(text)) as Value;
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapTexts(each, change)]));
}

/** `:latest`, where neither tag nor digest is named (acr-tasks 1.2). */
function tagged(image: string): string {
  return /[:@]/.test(image.slice(image.lastIndexOf('/') + 1)) ? image : `${image}:latest`;
}

function readCache(node: NodeReader): boolean {
  const text = node.text('cache');
  if (text === undefined || text === 'enabled' || text === 'disabled') return text === 'enabled';
  node.child('cache')?.report('cache is enabled or disabled');
  return false;
}

function readCondition(node: NodeReader): Condition {
  const text = node.text('condition');
  if (text === undefined || text === 'success' || text === 'failure' || text === 'always') return text ?? 'success';
  node.child('condition')?.report('condition is success, failure or always');
  return 'success';
}

function readWorkingDirectory(node: NodeReader, { workingDirectory }: StepScene): string | undefined {
  if (node.flag('disableWorkingDirectoryOverride')) return undefined;
  return insideWorkspace(node.text('workingDirectory') ?? workingDirectory);
}

/** Relative ones are below the workspace (acr-tasks 1.1). */
function insideWorkspace(folder: string | undefined): string {
  if (folder === undefined || folder === '') return workspace;
  return folder.startsWith('/') || /^[A-Za-z]:[\\/]/.test(folder) ? folder : `${workspace}/${folder.replace(/^\.\//, '')}`;
}

function readMounts(node: NodeReader, kind: StepAction['kind']): readonly VolumeMount[] {
  const child = node.child('volumeMounts');
  if (child === undefined) return [];
  if (kind === 'push') child.report('a push has no volumeMounts');
  const mounts = child.items().map((item) => {
    item.requireKnown(['name', 'mountPath']);
    const [name, mountPath] = [item.text('name'), item.text('mountPath')];
    if (name === undefined || mountPath === undefined) item.report(`${item.name} has a name and a mountPath`);
    return { name: name ?? '', mountPath: mountPath ?? '' };
  });
  if (new Set(mounts.map(({ mountPath }) => mountPath)).size < mounts.length)
    child.report('two volumeMounts have the same mountPath');
  return mounts;
}

/** The last value of a variable counts, at the place of the first. */
function lastOfEach(environment: readonly string[]): readonly string[] {
  return [...new Map(environment.map((each) => [each.split('=', 1)[0], each])).values()];
}
