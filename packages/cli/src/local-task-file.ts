import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { NamedValue } from '@berth/api';
import {
  type Dictionary,
  type Problem,
  type TaskFile,
  TaskFileError,
  aliasSources,
  parseTaskFile,
  problemText,
  sampleRun,
} from '@berth/task-file';
import { parse as parseYaml } from 'yaml';
import { CommandError } from './command-error.ts';

export interface TaskFileToCheck {
  /** As the user knows it. */
  readonly name: string;
  readonly content: string;
  readonly values: readonly NamedValue[];
  readonly valuesContent: string | undefined;
}

/**
 * Reads a task file before anything is sent. Undefined: it takes aliases from elsewhere, which only the agent reads.
 * @throws CommandError with every problem, its place and its line
 */
export function checkTaskFile({ name, content, values, valuesContent }: TaskFileToCheck): TaskFile | undefined {
  const given = Object.fromEntries(values.map((each) => [each.name, each.value]));
  const all: Dictionary = { ...valuesOf(valuesContent), ...given };
  try {
    const input = { source: content, run: sampleRun, values: all };
    if (aliasSources(input).length > 0) return undefined;
    return parseTaskFile({ ...input, nonce: randomUUID().replaceAll('-', '') });
  } catch (error) {
    if (!(error instanceof TaskFileError)) throw error;
    const { problems } = error;
    throw new CommandError(
      problems.length === 1 ? `${name} has a problem` : `${name} has ${problems.length} problems`,
      'correct the task file; docs/guides/task-files.md is its language',
      { cause: error, details: problems.flatMap((problem) => linesOf(problem, content)) },
    );
  }
}

function valuesOf(text: string | undefined): Dictionary {
  if (text === undefined) return {};
  try {
    const values: unknown = parseYaml(text, { maxAliasCount: 0 }) ?? {};
    if (typeof values === 'object' && !Array.isArray(values)) return values as Dictionary;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw new CommandError(`the file of values is no YAML: ${reason.replace(/:$/, '')}`, 'correct it', { cause: error });
  }
  throw new CommandError('the file of values is no map of names to values', 'write a line NAME: VALUE for each');
}

/** The problem, the line that it is in, and where in it. */
function linesOf(problem: Problem, content: string): readonly string[] {
  const { place } = problem;
  const text = `  ${problemText(problem)}`;
  const line = place === undefined ? undefined : content.split(/\r?\n/)[place.line - 1];
  if (place === undefined || line === undefined) return [text];
  const number = String(place.line);
  const shown = line.slice(0, 200);
  return [
    text,
    `    ${number} | ${shown}`,
    `    ${' '.repeat(number.length)} | ${' '.repeat(Math.min(place.column - 1, shown.length))}^`,
  ];
}

/** The Dockerfiles that a task file builds from: they are sent whatever .dockerignore says, as Docker does. */
export function dockerfilesOf(file: TaskFile | undefined): readonly string[] {
  const named = (file?.steps ?? []).flatMap(({ action }) => {
    if (action.kind !== 'build') return [];
    const { build } = action;
    if (build.context.includes('://')) return [];
    return [posix.normalize(build.file ?? posix.join(build.context, 'Dockerfile'))];
  });
  const inside = [...new Set(named)].filter((path) => !path.startsWith('/') && !path.startsWith('../'));
  return inside.flatMap((path) => [path, `${path}.dockerignore`]);
}
