import { type Fields, invalid } from '../../resources/index.ts';
import type { SealedText, TaskStep, TaskValue } from '../model.ts';
import { decoded } from '../parse-run-request.ts';
import { maxValueLength } from '../read-named-values.ts';
import { parseSourceLocation, tokenHostOf } from '../source-location.ts';
import type { ReadScene } from './read-scene.ts';

const stepTypes = ['Docker', 'FileTask', 'EncodedTask'] as const;
const maxContentLength = 1_500_000;
const maxValues = 500;
const maxTokenLength = 8192;
const platformPattern = /^(?:linux|windows)\/(?:amd64|x86|386|arm|arm64)(?:\/v[678])?$/i;

/** Reads `step`, over what was there when it is changed. @throws INVALID_PARAMETER, TASK_FILE_INVALID */
export function readStep(properties: Fields, before: TaskStep | undefined, scene: ReadScene): TaskStep | undefined {
  if (!properties.has('step') || properties.isNull('step')) return before;
  const step = properties.object('step');
  const type = step.oneOf('type', stepTypes) ?? before?.type;
  if (type === undefined) throw invalid(step.at('type'), `is missing: one of ${stepTypes.join(', ')}`);
  // A step of another type begins anew: nothing of the one before means the same.
  const same = before?.type === type ? before : undefined;
  const context = readContext(step, same, scene);
  if (type === 'Docker') return { type, ...context, ...readDocker(step, same?.type === 'Docker' ? same : undefined, scene) };
  if (type === 'FileTask') return { type, ...context, ...readFile(step, same?.type === 'FileTask' ? same : undefined, scene) };
  return { type, ...context, ...readEncoded(step, same?.type === 'EncodedTask' ? same : undefined, scene) };
}

type Context = Pick<TaskStep, 'contextPath' | 'contextAccessToken'>;

function readContext(step: Fields, before: Context | undefined, { seal }: ReadScene): Context {
  const given = step.text('contextPath', 4096);
  const at = step.at('contextPath');
  const { text, token, source } = parseSourceLocation(given ?? before?.contextPath, at);
  if (source?.kind === 'upload') throw invalid(at, 'must not be an upload, which is gone after one run');
  const sent = step.text('contextAccessToken', maxTokenLength) ?? token;
  // Another host must not get the token of the one before (attack 30).
  const isSameHost = tokenHostOf(text) !== undefined && tokenHostOf(text) === tokenHostOf(before?.contextPath);
  const kept = isSameHost ? before?.contextAccessToken : undefined;
  const contextAccessToken = sent === undefined ? kept : sealed(sent, seal);
  return {
    ...(text !== '' && { contextPath: text }),
    ...(contextAccessToken !== undefined && { contextAccessToken }),
  };
}

/** An empty one takes it away. */
function sealed(token: string, seal: ReadScene['seal']): SealedText | undefined {
  return token === '' ? undefined : seal(token);
}

type Docker = Extract<TaskStep, { type: 'Docker' }>;
type FileStep = Extract<TaskStep, { type: 'FileTask' }>;
type Encoded = Extract<TaskStep, { type: 'EncodedTask' }>;
type Own<Step> = Omit<Step, 'type' | 'contextPath' | 'contextAccessToken'>;

function readDocker(step: Fields, before: Docker | undefined, scene: ReadScene): Own<Docker> {
  const target = step.text('target') ?? before?.target;
  const platforms = step.texts('platforms', 10) ?? before?.platforms;
  for (const [index, platform] of (platforms ?? []).entries())
    if (!platformPattern.test(platform))
      throw invalid(`${step.at('platforms')}[${index}]`, 'must be a platform such as linux/amd64, linux/arm64 or linux/arm/v7');
  return {
    imageNames: step.texts('imageNames', 100) ?? before?.imageNames ?? [],
    isPushEnabled: step.boolean('isPushEnabled') ?? before?.isPushEnabled ?? true,
    noCache: step.boolean('noCache') ?? before?.noCache ?? false,
    dockerFilePath: nonEmpty(step.text('dockerFilePath')) ?? before?.dockerFilePath ?? 'Dockerfile',
    ...(target !== undefined && target !== '' && { target }),
    arguments: readValues(step, 'arguments', before?.arguments, scene),
    ...(platforms !== undefined && platforms.length > 0 && { platforms }),
    ...((step.boolean('sbom') ?? before?.sbom) === true && { sbom: true }),
    ...((step.boolean('provenance') ?? before?.provenance) === true && { provenance: true }),
  };
}

function readFile(step: Fields, before: FileStep | undefined, scene: ReadScene): Own<FileStep> {
  const taskFilePath = nonEmpty(step.text('taskFilePath')) ?? before?.taskFilePath;
  if (taskFilePath === undefined) throw invalid(step.at('taskFilePath'), 'is missing');
  const valuesFilePath = step.text('valuesFilePath') ?? before?.valuesFilePath;
  return {
    taskFilePath,
    ...(valuesFilePath !== undefined && valuesFilePath !== '' && { valuesFilePath }),
    values: readValues(step, 'values', before?.values, scene),
  };
}

function readEncoded(step: Fields, before: Encoded | undefined, scene: ReadScene): Own<Encoded> {
  const encodedTaskContent = nonEmpty(step.text('encodedTaskContent', maxContentLength)) ?? before?.encodedTaskContent;
  if (encodedTaskContent === undefined) throw invalid(step.at('encodedTaskContent'), 'is missing');
  decoded(encodedTaskContent, step.at('encodedTaskContent'));
  const encodedValuesContent = step.text('encodedValuesContent', maxContentLength) ?? before?.encodedValuesContent;
  decoded(encodedValuesContent ?? '', step.at('encodedValuesContent'));
  return {
    encodedTaskContent,
    ...(encodedValuesContent !== undefined && encodedValuesContent !== '' && { encodedValuesContent }),
    values: readValues(step, 'values', before?.values, scene),
  };
}

/** The list replaces the one before; a secret without its value keeps the value that it had. */
function readValues(
  step: Fields,
  name: 'values' | 'arguments',
  before: readonly TaskValue[] = [],
  { seal }: ReadScene,
): readonly TaskValue[] {
  const given = step.objects(name, maxValues);
  if (given === undefined) return before;
  const values = given.map((each): TaskValue => {
    const key = each.requiredText('name', 256);
    if (/[\s=]/.test(key)) throw invalid(each.at('name'), 'must hold neither spaces nor "="');
    const isSecret = each.boolean('isSecret') ?? false;
    const value = each.text('value', maxValueLength);
    const kept = before.find((known) => known.name === key && known.isSecret && isSecret);
    if (value === undefined && kept !== undefined) return kept;
    if (value === undefined) throw invalid(each.at('value'), 'is missing');
    return { name: key, value: isSecret ? seal(value) : value, isSecret };
  });
  return [...new Map(values.map((each) => [each.name, each])).values()];
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
