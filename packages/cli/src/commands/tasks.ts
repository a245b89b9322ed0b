import { readFileSync } from 'node:fs';
import { type NamedValue, type Run, tasks } from '@berth/api';
import { parse as parseYaml, stringify } from 'yaml';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { tableLines } from '../log-view/table.ts';
import { readArguments, readSecretValues, readValues } from '../named-values.ts';
import { type Output, show } from '../output.ts';
import { readInput } from '../read-input.ts';
import { type TaskOptions, changedTask, needsContext, newTask } from '../task-properties.ts';
import { type WatchOptions, watchRun } from '../watch-run.ts';
import type { Scene } from './build.ts';

interface TaskDocument {
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly properties: Properties;
}

/** What the list shows of ACR's `properties`. */
interface Properties {
  readonly status?: string;
  readonly step?: { readonly type?: string; readonly contextPath?: string | null } | null;
  readonly trigger?: {
    readonly timerTriggers?: readonly Trigger[] | null;
    readonly sourceTriggers?: readonly Trigger[] | null;
    readonly baseImageTrigger?: Trigger | null;
  } | null;
}

interface Trigger {
  readonly name: string;
  readonly status?: string;
}

/** `berth task list`. */
export async function listTasks(connection: Connection, output: Output): Promise<void> {
  const { tasks: found } = (await callOperation(connection, tasks.listTasks)) as { readonly tasks: readonly TaskDocument[] };
  const rows = found.map(({ name, properties: { status = '', step, trigger } }) => [
    name,
    status,
    step?.type ?? '',
    step?.contextPath ?? '',
    triggersOf(trigger).join(' '),
  ]);
  const lines = tableLines(['task', 'status', 'step', 'context', 'triggers'], rows);
  show(
    output,
    found,
    found.length === 0 ? 'There are no tasks. Make one: berth task create --help' : lines.map(plainLine).join('\n'),
  );
}

function triggersOf(trigger: Properties['trigger']): readonly string[] {
  const { timerTriggers, sourceTriggers, baseImageTrigger } = trigger ?? {};
  const all = [
    ...(timerTriggers ?? []).map((each) => ({ ...each, word: 'timer' })),
    ...(sourceTriggers ?? []).map((each) => ({ ...each, word: 'source' })),
    ...(baseImageTrigger === null || baseImageTrigger === undefined ? [] : [{ ...baseImageTrigger, word: 'base-image' }]),
  ];
  return [...new Set(all.filter(({ status }) => status !== 'Disabled').map(({ word }) => word))];
}

/** `berth task show`. */
export async function showTask(connection: Connection, output: Output, name: string): Promise<void> {
  const task = (await callOperation(connection, tasks.getTask, { params: { task: name } })) as TaskDocument;
  show(output, task, stringify(task).trimEnd());
}

/** How a task is made or changed: by options, or by a file with all of its properties. */
export interface TaskChange {
  readonly name: string;
  readonly options: TaskOptions & { readonly from?: string };
}

/** `berth task create`: makes a task, or replaces the one of that name. */
export async function createTask({ connection, output, environment }: Scene, { name, options }: TaskChange): Promise<void> {
  const { from } = options;
  const properties = from === undefined ? newTask(options, environment) : await propertiesIn(from);
  const task = await callOperation(connection, tasks.putTask, { params: { task: name }, body: { properties } });
  show(output, task, `The task ${name} is kept. Run it now: berth task run ${name}`);
}

/** `berth task update`: what is not said stays, secrets too. */
export async function updateTask({ connection, output, environment }: Scene, { name, options }: TaskChange): Promise<void> {
  const { from } = options;
  const properties =
    from === undefined ? changedTask(await withContext(connection, name, options), environment) : await propertiesIn(from);
  if (Object.keys(properties).length === 0)
    throw new CommandError('it is not said what to change', 'berth task update --help lists what can be');
  const task = await callOperation(connection, tasks.updateTask, { params: { task: name }, body: { properties } });
  show(output, task, `The task ${name} is changed.`);
}

/** A source trigger watches the repository of the task, which need not be said again. */
async function withContext(connection: Connection, name: string, options: TaskOptions): Promise<TaskOptions> {
  if (!needsContext(options)) return options;
  const { properties } = (await callOperation(connection, tasks.getTask, { params: { task: name } })) as TaskDocument;
  const context = properties.step?.contextPath ?? undefined;
  return context === undefined ? options : { ...options, context };
}

async function propertiesIn(file: string): Promise<object> {
  let text: string;
  try {
    text = file === '-' ? (await readInput('the task')).toString('utf8') : readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`the file ${file} cannot be read`, 'name a file that is there and readable', { cause: error });
  }
  try {
    const document: unknown = parseYaml(text, { maxAliasCount: 0 });
    if (typeof document === 'object' && document !== null && !Array.isArray(document))
      return 'properties' in document ? (document.properties as object) : document;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '').replace(/:$/, '') : '';
    throw new CommandError(`${file} is neither JSON nor YAML: ${reason}`, 'correct it', { cause: error });
  }
  throw new CommandError(`${file} holds no task`, 'give what berth task show prints: an object with properties');
}

/** `berth task delete`. */
export async function deleteTask(connection: Connection, output: Output, name: string): Promise<void> {
  await callOperation(connection, tasks.deleteTask, { params: { task: name } });
  show(output, { name }, `The task ${name} is deleted; its runs stay.`);
}

export interface TaskRunOptions extends WatchOptions {
  readonly set?: readonly string[];
  readonly setSecret?: readonly string[];
  readonly arg?: readonly string[];
  readonly secretArg?: readonly string[];
  readonly target?: string;
  readonly context?: string;
  readonly file?: string;
}

/** `berth task run`. */
export async function runTask({ connection, output, environment }: Scene, name: string, options: TaskRunOptions): Promise<void> {
  const { target, context, file } = options;
  const values: readonly NamedValue[] = [
    ...readValues('--set', options.set),
    ...readSecretValues('--set-secret', options.setSecret, environment),
  ];
  const args: readonly NamedValue[] = [
    ...readArguments('--arg', options.arg, environment),
    ...readSecretValues('--secret-arg', options.secretArg, environment),
  ];
  const body = {
    ...(values.length > 0 && { values }),
    ...(args.length > 0 && { arguments: args }),
    ...(target !== undefined && { target }),
    ...(context !== undefined && { contextPath: context }),
    ...(file !== undefined && { file }),
  };
  const run = (await callOperation(connection, tasks.runTask, { params: { task: name }, body })) as Run;
  await watchRun(connection, output, { run, options });
}
