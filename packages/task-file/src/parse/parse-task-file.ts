import { type AliasOptions, aliasTable, expandAliases, hasAliases, sourcesOf } from '../aliases.ts';
import { buildGraph } from '../graph/build-graph.ts';
import { TaskFileError } from '../task-file-error.ts';
import { type Dictionary, render } from '../template/index.ts';
import type { TaskFile } from './model.ts';
import { YamlSource } from './node-reader.ts';
import { prepareSource } from './prepare-source.ts';
import { readNetworks, readSecrets, readVolumes } from './read-resources.ts';
import { readStep } from './read-step.ts';
import { SecretMarks } from './secret-marks.ts';

export interface TaskFileInput {
  readonly source: string;
  /** `.Run` (acr-tasks 2.1). */
  readonly run: Dictionary;
  /** `.Values`: the values file with what `--set` overlays. */
  readonly values: Dictionary;
  /** By id, what `secrets` of the file resolved to; without them the file is read as far as it goes without. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** At least 16 random letters and digits, new for each run. */
  readonly nonce: string;
  readonly aliases?: AliasOptions;
}

const versions = ['1.0-preview-1', 'v1.0.0', 'v1.1.0'];
const defaultStepTimeoutSeconds = 600;
const maxLength = 1024 * 1024;
const maxSteps = 200;
const topLevel = ['version', 'steps', 'stepTimeout', 'workingDirectory', 'env', 'secrets', 'networks', 'volumes'];

/** The documents that `alias.src` of a task file names: to be fetched, and given to `parseTaskFile`. @throws TaskFileError */
export function aliasSources({ source, run, values }: Pick<TaskFileInput, 'source' | 'run' | 'values'>): readonly string[] {
  const { aliasBlock, version } = prepareSource(source);
  return hasAliases(version ?? '') ? sourcesOf(aliasBlock, dataOf(run, values, {})) : [];
}

/**
 * Reads a task file (acr-tasks 1 and 2): comments, aliases, templates, YAML, rules, graph. Secrets stand in the result, and have
 * passed nothing but it.
 * @throws TaskFileError with everything that is wrong, by line and column; columns are those after templates were rendered
 */
export function parseTaskFile({
  source,
  run,
  values,
  secrets = new Map(),
  nonce,
  aliases: aliasOptions = {},
}: TaskFileInput): TaskFile {
  if (source.length > maxLength) throw wrong(`the task file has more than ${maxLength} characters`);
  const prepared = prepareSource(source);
  const { version = 'v1.0.0', aliasBlock } = prepared;
  const known = versions.find((each) => each === version.toLowerCase());
  if (known === undefined)
    throw wrong(`the version ${JSON.stringify(version.slice(0, 40))} is not known; there are ${versions.join(', ')}`);
  const marks = new SecretMarks(nonce, secrets);
  const data = dataOf(run, values, Object.fromEntries([...secrets.keys()].map((id) => [id, marks.markOf(id) ?? ''])));
  const aliases = hasAliases(version) ? aliasTable(aliasBlock, data, aliasOptions) : undefined;
  if (aliases === undefined && aliasBlock !== '') throw wrong('alias needs version: v1.1.0');
  const text = aliases === undefined ? prepared.text : expandAliases(prepared.text, aliases);
  const yaml = new YamlSource(render(text, data));
  const root = yaml.root();
  if (root === undefined) throw new TaskFileError(yaml.problems);
  root.requireKnown(topLevel);
  const reveal = (each: string): string => marks.reveal(each);
  const networks = readNetworks(root);
  const volumes = readVolumes(root, reveal);
  const scene = {
    stepTimeoutSeconds: root.whole('stepTimeout', 28_800) || defaultStepTimeoutSeconds,
    workingDirectory: root.text('workingDirectory'),
    environment: (root.texts('env') ?? []).map(reveal),
    aliases,
    reveal,
  };
  const nodes = root.child('steps')?.items() ?? [];
  if (nodes.length === 0) root.report('the task file has no steps');
  if (nodes.length > maxSteps) root.report(`the task file has more than ${maxSteps} steps`);
  const steps = nodes.slice(0, maxSteps).flatMap((node, index) => readStep(node, { ...scene, index }) ?? []);
  const twice = steps.find(({ id }, index) => steps.findIndex((each) => each.id === id) !== index);
  if (twice !== undefined) yaml.problems.push({ message: `two steps have the id ${twice.id}`, place: twice.place });
  for (const { id, volumeMounts, place } of steps)
    for (const { name } of volumeMounts)
      if (!volumes.some((volume) => volume.name === name))
        yaml.problems.push({ message: `the step ${id} mounts the volume ${name}, which is not declared`, place });
  // Without all of its steps the graph would complain about those that are missing.
  const isWhole = yaml.problems.length === 0;
  const graph = buildGraph(isWhole ? steps : []);
  yaml.problems.push(...graph.problems);
  const declared = readSecrets(root);
  if (yaml.problems.length > 0) throw new TaskFileError(yaml.problems);
  return { version: known, steps, dependencies: graph.dependencies, networks, volumes, secrets: declared };
}

function dataOf(run: Dictionary, values: Dictionary, secrets: Dictionary): Dictionary {
  return {
    Run: run,
    Build: { ID: run['ID'] ?? null },
    Values: values,
    Secrets: secrets,
    RunJSON: shellQuoted(run),
    ValuesJSON: shellQuoted(values),
  };
}

function shellQuoted(value: Dictionary): string {
  return `'${JSON.stringify(value).replaceAll("'", `'"'"'`)}'`;
}

function wrong(message: string): TaskFileError {
  return new TaskFileError([{ message, place: undefined }]);
}
