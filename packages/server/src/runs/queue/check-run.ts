import { randomUUID } from 'node:crypto';
import type { RunPlatform, RunSource, RunToQueue, RunWork } from '@berth/api';
import { OciError, parseRepositoryName, parseTag } from '@berth/oci';
import { type Dictionary, TaskFileError, aliasSources, parseImageReference, parseTaskFile, sampleRun } from '@berth/task-file';
import { RegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';

/** What is known of a run that may be queued. */
export interface CheckedRun {
  /** As it was asked for, with its defaults. */
  readonly platform: RunPlatform;
  /** Of the agent that it needs, in lower case. */
  readonly os: string;
  readonly architecture: string;
  readonly timeoutSeconds: number;
}

const defaultTimeoutSeconds = 3600;
const minTimeoutSeconds = 300;
const maxTimeoutSeconds = 28_800;
const maxListed = 100;
const maxRequestBytes = 2 * 2 ** 20;
const architectures: Readonly<Record<string, string>> = { amd64: 'amd64', x86: '386', '386': '386', arm: 'arm', arm64: 'arm64' };
const variants = ['v6', 'v7', 'v8'];
const poolPattern = /^[A-Za-z0-9-]{3,20}$/;

/** All that can be said of a run before anything of it is executed. @throws INVALID_PARAMETER, TASK_FILE_INVALID */
export function checkRun(request: RunToQueue, registry: Registry): CheckedRun {
  if (Buffer.byteLength(JSON.stringify(request)) > maxRequestBytes)
    throw invalid('work', `the request has more than ${maxRequestBytes} bytes`);
  const { work, timeoutSeconds = defaultTimeoutSeconds, agentPool, values = [], logins = [] } = request;
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < minTimeoutSeconds || timeoutSeconds > maxTimeoutSeconds)
    throw invalid('timeoutSeconds', `the timeout is a number of seconds from ${minTimeoutSeconds} to ${maxTimeoutSeconds}`);
  if (agentPool !== undefined && !poolPattern.test(agentPool))
    throw invalid('agentPool', 'the name of an agent pool has 3 to 20 letters, digits and hyphens');
  if (values.length > maxListed * 10 || logins.length > maxListed)
    throw invalid('values', 'there are more values or logins than a run may have');
  for (const { server } of logins)
    if (server === '' || /[\s/]/.test(server)) throw invalid('logins', `${JSON.stringify(server)} is no registry's host name`);
  if (request.source !== undefined) checkSource(request.source);
  const platform = platformOf(request);
  if (work.kind === 'build') checkBuild(work, request.source);
  else if (work.kind === 'file') checkFile(work, request.source);
  else checkTaskFile(work, request, registry);
  const architecture = platform.architecture ?? 'amd64';
  return { platform, os: platform.os.toLowerCase(), architecture, timeoutSeconds };
}

/** @throws INVALID_PARAMETER */
function platformOf({ platform, work }: RunToQueue): RunPlatform {
  const asked = work.kind === 'build' ? (work.platforms ?? []) : [];
  if (asked.length > 10) throw invalid('platforms', 'a build has at most 10 platforms');
  const parsed = asked.map(parsePlatform);
  if (platform === undefined) {
    const usual = parsed.find(({ os, architecture }) => os === 'Linux' && architecture === 'amd64');
    return usual ?? parsed[0] ?? { os: 'Linux', architecture: 'amd64' };
  }
  const { os, architecture = parsed[0]?.architecture ?? 'amd64', variant } = platform;
  const known = architectures[architecture.toLowerCase()];
  if (known === undefined)
    throw invalid(
      'platform',
      `the architecture ${JSON.stringify(architecture)} is not known; there are amd64, 386, arm and arm64`,
    );
  if (variant !== undefined && !variants.includes(variant)) throw invalid('platform', 'the variant is v6, v7 or v8');
  return { os, architecture: known, ...(variant !== undefined && { variant }) };
}

function parsePlatform(text: string): RunPlatform {
  const [os = '', architecture = '', variant, more] = text.toLowerCase().split('/');
  const known = architectures[architecture];
  const isOs = os === 'linux' || os === 'windows';
  if (!isOs || known === undefined || more !== undefined || (variant !== undefined && !variants.includes(variant)))
    throw invalid('platforms', `${JSON.stringify(text)} is no platform such as linux/amd64, linux/arm64 or linux/arm/v7`);
  return { os: os === 'linux' ? 'Linux' : 'Windows', architecture: known, ...(variant !== undefined && { variant }) };
}

type Build = Extract<RunWork, { kind: 'build' }>;

function checkBuild(work: Build, source: RunSource | undefined): void {
  const { images, isPushed, dockerfile = 'Dockerfile' } = work;
  if (source === undefined)
    throw invalid('source', 'a build needs a source: upload a folder, or name a repository, an archive or an artifact');
  if (images.length === 0 && isPushed === true)
    throw invalid('images', 'a build that is pushed needs the name of an image: repository:tag');
  if (images.length > maxListed) throw invalid('images', `a build has at most ${maxListed} images`);
  if (dockerfile === '') throw invalid('dockerfile', 'the name of the Dockerfile is empty');
  for (const image of images) checkImage(image);
}

/** Templates become words: what they will be is known later. @throws INVALID_PARAMETER */
function checkImage(image: string): void {
  const text = image.replaceAll(/\{\{[^{}]*\}\}/g, 'x');
  if (parseImageReference(text) === undefined || text.includes('@'))
    throw invalid('images', `${JSON.stringify(image)} is no name of an image such as app:v1 or team/app:{{.Run.ID}}`);
}

function checkFile({ path }: Extract<RunWork, { kind: 'file' }>, source: RunSource | undefined): void {
  if (source === undefined) throw invalid('source', `the task file ${JSON.stringify(path)} is in a source, but there is none`);
  if (path === '') throw invalid('work', 'the path of the task file is empty');
}

/** Values that nobody knows yet are read as their own names. */
function checkTaskFile(
  { content, valuesContent }: Extract<RunWork, { kind: 'inline' }>,
  { values = [] }: RunToQueue,
  registry: Registry,
): void {
  const run: Dictionary = { ...sampleRun, Registry: registry.loginServer, RegistryName: registry.name };
  const given: Dictionary = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  try {
    const input = { source: content, run, values: given };
    // What is in a file of values, or in documents elsewhere, only the agent sees.
    if (valuesContent === undefined && aliasSources(input).length === 0)
      parseTaskFile({ ...input, nonce: randomUUID().replaceAll('-', '') });
  } catch (error) {
    if (!(error instanceof TaskFileError)) throw error;
    throw new RegistryError('TASK_FILE_INVALID', { message: error.message, cause: error });
  }
}

/** Attack 28. @throws INVALID_PARAMETER */
function checkSource(source: RunSource): void {
  if (source.kind === 'git') {
    const { url, ref = '', folder = '', commit = '' } = source;
    if (!/^(?:https?|git|ssh):\/\/[^\s]+$/.test(url) && !/^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s]+$/.test(url))
      throw invalid('source', `${JSON.stringify(withoutPassword(url))} is no address of a git repository that is used here`);
    if (ref.startsWith('-') || folder.startsWith('-') || (commit !== '' && !/^[0-9a-f]{7,64}$/.test(commit)))
      throw invalid('source', 'the ref, the folder or the commit is not valid');
  } else if (source.kind === 'archive') {
    if (!/^https?:\/\/[^\s]+$/.test(source.url))
      throw invalid('source', 'the address of an archive begins with https:// or http://');
  } else if (source.kind === 'oci' && parseImageReference(source.reference) === undefined)
    throw invalid('source', `${JSON.stringify(source.reference)} is no artifact such as registry.example/team/context:v1`);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

/**
 * What a build of somebody who does not run the registry pushes: plain names, since the rights to them are asked now.
 * @throws INVALID_PARAMETER
 */
export function plainRepositories(images: readonly string[]): readonly string[] {
  return images.map((image) => {
    const text = image.replaceAll(/\{\{ ?\.Run\.ID ?\}\}/g, 'x');
    const [repository = '', tag = 'latest', more] = text.split(':');
    try {
      if (more !== undefined || image.slice(0, repository.length) !== repository)
        throw new OciError('NAME_INVALID', 'no plain name');
      parseTag(tag);
      return parseRepositoryName(repository);
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      throw invalid('images', `${JSON.stringify(image)} is no repository:tag; in the tag {{.Run.ID}} may stand`);
    }
  });
}

function invalid(target: string, message: string): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message, target });
}
