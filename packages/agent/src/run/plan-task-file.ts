import { randomBytes } from 'node:crypto';
import type { NamedValue } from '@berth/api';
import {
  type Dictionary,
  type Problem,
  type Step,
  type TaskFile,
  TaskFileError,
  aliasSources,
  isDictionary,
  parseTaskFile,
} from '@berth/task-file';
import { parse as parseYaml } from 'yaml';
import { readBuildFlags } from './build-flags.ts';
import { readRunFlags } from './run-flags.ts';
import { RunFailed } from './run-failed.ts';
import type { RunHost } from './run-host.ts';
import type { RunPlan } from './run-plan.ts';

export interface TaskFileScene {
  readonly host: RunHost;
  readonly source: string;
  readonly valuesSource: string | undefined;
  readonly run: Dictionary;
  readonly workspace: string;
}

/**
 * Reads a task file with its aliases, values and secrets, and refuses what this agent allows no run.
 * @throws TaskFileError, RunFailed, and what the host throws
 */
export async function planTaskFile({ host, source, valuesSource, run, workspace }: TaskFileScene): Promise<RunPlan> {
  const input = { source, run, values: readValues(valuesSource, host.assignment.values), nonce: randomBytes(16).toString('hex') };
  const sources = new Map<string, string>();
  for (const name of aliasSources(input)) sources.set(name, await host.fetchDocument(name, workspace));
  const withAliases = { ...input, aliases: { sources } };
  let file = parseTaskFile(withAliases);
  requireAllowed(file, host);
  if (file.secrets.length > 0) {
    const secrets = await host.resolveSecrets(file.secrets);
    const missing = file.secrets.find(({ id }) => !secrets.has(id));
    if (missing !== undefined) throw new RunFailed(`the secret ${missing.id} has no value`);
    file = parseTaskFile({ ...withAliases, secrets });
    requireAllowed(file, host);
  }
  return { ...file, buildSecrets: new Map() };
}

/** The values file, overlaid key by key with what the request and the task set. @throws RunFailed */
function readValues(source: string | undefined, given: readonly NamedValue[]): Dictionary {
  const read = source === undefined ? {} : parseValues(source);
  return { ...read, ...Object.fromEntries(given.map(({ name, value }) => [name, value])) };
}

function parseValues(source: string): Dictionary {
  let value: unknown;
  try {
    value = parseYaml(source, { maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw new RunFailed(`the values file is no YAML: ${error instanceof Error ? error.message : ''}`);
  }
  const values = value as Dictionary;
  if (!isDictionary(values)) throw new RunFailed('the values file is no map of names to values');
  return values;
}

function requireAllowed({ steps }: TaskFile, host: RunHost): void {
  const problems = steps.flatMap((step) => {
    const message = refusalOf(step, host);
    return message === undefined ? [] : [{ message, place: step.place } satisfies Problem];
  });
  if (problems.length > 0) throw new TaskFileError(problems);
}

/** Why a step may not run on this agent. */
function refusalOf(step: Step, { limits }: RunHost): string | undefined {
  if (step.isPrivileged && !limits.allowsPrivileged)
    return `the step ${step.id} is privileged; agents allow it only when they were started to`;
  const { action } = step;
  try {
    if (action.kind === 'cmd') readRunFlags(action.command.flags, limits);
    if (action.kind === 'build') readBuildFlags(action.build.others, limits);
  } catch (error) {
    return `${action.kind} of the step ${step.id} ${error instanceof Error ? error.message : ''}`;
  }
  return undefined;
}
