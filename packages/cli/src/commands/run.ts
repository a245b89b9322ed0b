import { readFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RunPlatform, RunSource, RunWork } from '@berth/api';
import { CommandError } from '../command-error.ts';
import { checkTaskFile, dockerfilesOf } from '../local-task-file.ts';
import { readSecretValues, readValues } from '../named-values.ts';
import { prepareFolder } from '../packing/prepare-folder.ts';
import { type QueueOptions, queueFields, queueRun, reportPassedOver, sendFolder } from '../queue-run.ts';
import { type Context, readContext } from '../read-context.ts';
import { readInput } from '../read-input.ts';
import { type WatchOptions, watchRun } from '../watch-run.ts';
import type { Scene } from './build.ts';

export interface RunOptions extends QueueOptions, WatchOptions {
  readonly file?: string;
  readonly cmd?: string;
  readonly values?: string;
  readonly set?: readonly string[];
  readonly setSecret?: readonly string[];
  readonly platform?: string;
}

const usualFile = 'acb.yaml';
const usualCommandTimeoutSeconds = 600;

/** `berth run`: executes a task file, or one command, on an agent. @throws CommandError */
export async function run(scene: Scene, place: string | undefined, options: RunOptions): Promise<void> {
  const { connection, output, environment } = scene;
  if (options.cmd !== undefined && (options.file !== undefined || place === '-'))
    throw new CommandError('a run has a task file or a command, not both', 'leave out --file or --cmd');
  const isInput = place === '-' || options.file === '-';
  const context = contextOf(place, { isInput, options, gitToken: environment['BERTH_GIT_TOKEN'] });
  const values = [...readValues('--set', options.set), ...readSecretValues('--set-secret', options.setSecret, environment)];
  const { work, needed } = await workOf(context, { isInput, options, values });
  const source = await sourceOf(scene, context, needed);
  const queued = await queueRun(connection, {
    work,
    values,
    ...(source !== undefined && { source }),
    ...(options.platform !== undefined && { platform: platformOf(options.platform) }),
    ...queueFields(options),
  });
  await watchRun(connection, output, { run: queued, options });
}

interface Asked {
  readonly isInput: boolean;
  readonly options: RunOptions;
}

/** A command, or a file that is piped in, needs no files unless a place is named. */
function contextOf(
  place: string | undefined,
  { isInput, options, gitToken }: Asked & { readonly gitToken: string | undefined },
): Context {
  if (place === undefined || place === '-')
    return isInput || options.cmd !== undefined ? { kind: 'none' } : { kind: 'folder', path: '.' };
  return readContext(place, gitToken);
}

interface Work {
  readonly work: RunWork;
  /** Files that must be sent. */
  readonly needed: readonly string[];
}

async function workOf(
  context: Context,
  { isInput, options, values }: Asked & { readonly values: Parameters<typeof checkTaskFile>[0]['values'] },
): Promise<Work> {
  const { cmd, file, values: valuesFile } = options;
  if (context.kind === 'remote' && cmd === undefined && !isInput) {
    const work = { kind: 'file', path: file ?? usualFile, ...(valuesFile !== undefined && { valuesPath: valuesFile }) } as const;
    return { work, needed: [] };
  }
  const found =
    cmd === undefined
      ? await readTaskFile(context, isInput ? '-' : file)
      : { name: '--cmd', content: commandFile(cmd, options.timeout) };
  const valuesContent = valuesFile === undefined ? undefined : readLocalFile(context, valuesFile, 'values').content;
  const checked = checkTaskFile({ ...found, values, valuesContent });
  const work = { kind: 'inline', content: found.content, ...(valuesContent !== undefined && { valuesContent }) } as const;
  return { work, needed: dockerfilesOf(checked) };
}

/** A task file of one step (acr-tasks 1.6): the image's own folder, and templates as in any other. */
export function commandFile(command: string, timeoutSeconds = usualCommandTimeoutSeconds): string {
  const lines = command.trim().split(/\r?\n/);
  return [
    'version: v1.1.0',
    'steps:',
    '  - cmd: |-',
    ...lines.map((line) => `      ${line}`),
    `    timeout: ${timeoutSeconds}`,
    '    disableWorkingDirectoryOverride: true',
    '',
  ].join('\n');
}

interface LocalFile {
  readonly name: string;
  readonly content: string;
}

async function readTaskFile(context: Context, file: string | undefined): Promise<LocalFile> {
  if (file === '-') return { name: 'the task file', content: (await readInput('the task file')).toString('utf8') };
  if (file === undefined && context.kind === 'none')
    throw new CommandError('it is not said what to run', 'name a task file with --file, or a command with --cmd');
  return readLocalFile(context, file ?? usualFile, 'task');
}

/** Relative to where the command was started, or to the context. */
function readLocalFile(context: Context, path: string, kind: 'task' | 'values'): LocalFile {
  const candidates = [path, ...(context.kind === 'folder' ? [join(context.path, path)] : [])];
  const found = candidates.find((each) => existsSync(each));
  const what = kind === 'task' ? 'task file' : 'file of values';
  if (found === undefined) {
    throw new CommandError(
      `there is no ${what} ${candidates.join(' or ')}`,
      kind === 'task' ? 'name it with --file, or pipe it in: berth run -' : 'name it with --values',
    );
  }
  try {
    return { name: basename(found), content: readFileSync(found, 'utf8') };
  } catch (error) {
    throw new CommandError(`the ${what} ${found} cannot be read`, 'name a file that is readable', { cause: error });
  }
}

async function sourceOf({ connection }: Scene, context: Context, needed: readonly string[]): Promise<RunSource | undefined> {
  if (context.kind === 'none') return undefined;
  if (context.kind === 'remote') return context.source;
  return sendFolder(connection, await prepareFolder(context.path, { needed, onPassedOver: reportPassedOver }));
}

/** `linux/arm64`, `Linux`, `linux/arm/v7`. @throws CommandError */
export function platformOf(text: string): RunPlatform {
  const [os = '', architecture, variant, more] = text.toLowerCase().split('/');
  if ((os !== 'linux' && os !== 'windows') || architecture === '' || more !== undefined)
    throw new CommandError(`${JSON.stringify(text)} is no platform`, 'write it as linux/amd64, linux/arm64 or linux/arm/v7');
  return {
    os: os === 'linux' ? 'Linux' : 'Windows',
    ...(architecture !== undefined && { architecture }),
    ...(variant !== undefined && { variant }),
  };
}
