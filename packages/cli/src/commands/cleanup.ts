import { setTimeout as pause } from 'node:timers/promises';
import { cleanup } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';
import { type Sweep, type Totals, remarksOn, removedText, showSweeps } from './purge.ts';

export interface RuleOptions {
  readonly repositories?: string;
  readonly tags?: string;
  readonly keepLast?: number;
  readonly keepNewerThan?: string;
  readonly keepPulledWithin?: string;
  readonly untaggedOlderThan?: string;
}

interface Rule extends RuleOptions {
  readonly name: string;
  readonly repositories: string;
  readonly isEnabled: boolean;
}

interface RunState extends Totals {
  readonly state: 'never' | 'running' | 'finished' | 'stopped';
}

const pollMs = 200;

/** `berth cleanup list`. */
export async function listRules(connection: Connection, output: Output): Promise<void> {
  const { rules } = (await callOperation(connection, cleanup.listCleanupRules)) as { rules: readonly Rule[] };
  show(output, rules, rules.length === 0 ? 'There are no cleanup rules.' : rules.map(ruleText).join('\n'));
}

/** `berth cleanup set`: makes a rule or replaces it. */
export async function setRule(
  connection: Connection,
  output: Output,
  { name, isEnabled, options }: { readonly name: string; readonly isEnabled: boolean; readonly options: RuleOptions },
): Promise<void> {
  const body = { ...definitionOf(options), isEnabled };
  const rule = (await callOperation(connection, cleanup.putCleanupRule, { params: { rule: name }, body })) as Rule;
  show(output, rule, `${ruleText(rule)}\nberth cleanup preview shows what the rules would delete.`);
}

/** `berth cleanup delete`. */
export async function deleteRule(connection: Connection, output: Output, name: string): Promise<void> {
  await callOperation(connection, cleanup.deleteCleanupRule, { params: { rule: name } });
  show(output, { name }, `The rule ${name} is deleted.`);
}

/** `berth cleanup preview`: of all enabled rules, or of one that is written in options. */
export async function previewCleanup(connection: Connection, output: Output, options: RuleOptions): Promise<void> {
  const rule = Object.keys(options).length === 0 ? {} : { rule: definitionOf(options) };
  await showSweeps(output, true, async (cursor) => {
    const body = { ...rule, limit: 1000, ...(cursor !== undefined && { cursor }) };
    return (await callOperation(connection, cleanup.previewCleanup, { body })) as Sweep;
  });
}

/** `berth cleanup run`: begins a round and waits for its end. Resolves with whether nothing failed. */
export async function runCleanup(connection: Connection, output: Output): Promise<boolean> {
  let state = (await callOperation(connection, cleanup.startCleanup)) as RunState;
  while (state.state === 'running') {
    await pause(pollMs);
    state = (await callOperation(connection, cleanup.getCleanup)) as RunState;
  }
  if (state.state === 'stopped')
    throw new CommandError('the cleanup stopped before its end', 'see the log of the server, and try again');
  show(output, state, [`${removedText(state)}.`, ...remarksOn(state)].join('\n'));
  return state.failed === 0;
}

/** The server says what is wrong with what was given; what is missing it cannot name by its option. */
function definitionOf(options: RuleOptions): RuleOptions {
  if (options.repositories === undefined)
    throw new CommandError('the rule does not say which repositories it is about', "give --repositories, such as 'app/*'");
  return options;
}

function ruleText(rule: Rule): string {
  const { name, repositories, tags = '*', keepLast, keepNewerThan, keepPulledWithin, untaggedOlderThan, isEnabled } = rule;
  const kept = [
    ...(keepLast === undefined ? [] : [`keeps the newest ${keepLast}`]),
    ...(keepNewerThan === undefined ? [] : [`keeps newer than ${keepNewerThan}`]),
    ...(keepPulledWithin === undefined ? [] : [`keeps pulled within ${keepPulledWithin}`]),
    ...(untaggedOlderThan === undefined ? [] : [`deletes untagged for ${untaggedOlderThan}`]),
  ];
  return `${name}  ${repositories}:${tags}  ${kept.join(', ')}${isEnabled ? '' : '  (disabled)'}`;
}
