import type { Run } from '@berth/api';
import { type RunFacts, type RunFilter, runStatuses } from '../runs/index.ts';
import { type FilterToken, filterError } from './run-filter-tokens.ts';

/** A condition on runs. */
export interface RunCondition {
  readonly holds: (run: RunFacts) => boolean;
  /** What the database may look for: of all runs that it finds, `holds` decides. */
  readonly narrowed: Partial<RunFilter>;
}

const operators = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const;
type Operator = (typeof operators)[number];

/** What a run is compared by. Null is equal to nothing and neither more nor less. */
type Value = string | number | boolean | null;

interface Property {
  readonly of: (run: RunFacts) => Value;
  readonly read: (token: FilterToken) => Value;
  readonly narrow?: (operator: Operator, value: never) => Partial<RunFilter>;
}

const runTypes: readonly Run['runType'][] = ['QuickBuild', 'QuickRun', 'AutoBuild', 'AutoRun'];

const properties: Readonly<Record<string, Property>> = {
  runid: {
    of: (run) => run.id,
    read: (token) => readText(token).toLowerCase(),
    narrow: (operator, runId: string) => (operator === 'eq' ? { runId } : {}),
  },
  runtype: {
    of: (run) => run.runType,
    read: (token) => readWord(token, runTypes),
    narrow: (operator, runType: Run['runType']) => (operator === 'eq' ? { runType } : {}),
  },
  status: {
    of: (run) => run.status,
    read: (token) => readWord(token, runStatuses),
    narrow: (operator, status: Run['status']) => (operator === 'eq' ? { statuses: [status] } : {}),
  },
  taskname: {
    of: (run) => run.task,
    read: readText,
    narrow: (operator, task: string) => (operator === 'eq' ? { task } : {}),
  },
  agentpoolname: {
    of: (run) => run.agentPool,
    read: readText,
    narrow: (operator, agentPool: string) => (operator === 'eq' ? { agentPool } : {}),
  },
  createtime: { of: (run) => run.createdAt, read: readTime, narrow: narrowTime('createdFrom', 'createdTo') },
  finishtime: { of: (run) => run.finishedAt, read: readTime, narrow: narrowTime('finishedFrom', 'finishedTo') },
  isarchiveenabled: {
    of: (run) => run.isArchived,
    read: readBoolean,
    narrow: (operator, isArchived: boolean) => (operator === 'eq' ? { isArchived } : {}),
  },
};

/** @throws INVALID_PARAMETER */
export function comparisonOf(name: FilterToken, sign: FilterToken, literal: FilterToken): RunCondition {
  const property = propertyOf(name);
  if (property === undefined) throw unknownName(name);
  const operator = operators.find((each) => sign.kind === 'word' && each === sign.text.toLowerCase());
  if (operator === undefined) throw filterError(`expected one of ${operators.join(', ')}`, sign.position);
  const value = property.read(literal);
  return {
    holds: (run) => compares(property.of(run), operator, value),
    narrowed: property.narrow?.(operator, value as never) ?? {},
  };
}

/** `contains(OutputImageManifests, 'repository@digest')`. @throws INVALID_PARAMETER */
export function containment(name: FilterToken, literal: FilterToken): RunCondition {
  const text = readText(literal);
  if (name.kind === 'word' && name.text.toLowerCase() === 'outputimagemanifests') {
    const digest = /(?:^|@)(sha(?:256|512):[0-9a-f]+)$/.exec(text)?.[1];
    return {
      holds: (run) => run.images.some((image) => `${image.repository}@${image.digest}`.includes(text)),
      narrowed: digest === undefined ? {} : { image: digest },
    };
  }
  const property = propertyOf(name);
  if (property === undefined) throw unknownName(name);
  return { holds: (run) => String(property.of(run) ?? '').includes(text), narrowed: {} };
}

function propertyOf({ kind, text }: FilterToken): Property | undefined {
  const name = text.toLowerCase();
  return kind === 'word' && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function unknownName({ position }: FilterToken): Error {
  return filterError(
    'expected one of runId, runType, status, createTime, finishTime, outputImageManifests, isArchiveEnabled, taskName, agentPoolName',
    position,
  );
}

function compares(actual: Value, operator: Operator, value: Value): boolean {
  if (operator === 'ne') return actual !== value;
  if (actual === null || value === null) return false;
  if (operator === 'eq') return actual === value;
  if (operator === 'gt') return actual > value;
  if (operator === 'ge') return actual >= value;
  return operator === 'lt' ? actual < value : actual <= value;
}

function narrowTime(from: 'createdFrom' | 'finishedFrom', to: 'createdTo' | 'finishedTo') {
  return (operator: Operator, at: number): Partial<RunFilter> => {
    if (operator === 'eq') return { [from]: at, [to]: at };
    if (operator === 'ne') return {};
    return { [operator === 'gt' || operator === 'ge' ? from : to]: at };
  };
}

function readText({ kind, text, position }: FilterToken): string {
  if (kind !== 'text') throw filterError("expected a text in quotes, such as 'build'", position);
  return text;
}

function readWord<Word extends string>(token: FilterToken, words: readonly Word[]): Word {
  const text = readText(token).toLowerCase();
  const found = words.find((word) => word.toLowerCase() === text);
  if (found === undefined) throw filterError(`expected one of ${words.join(', ')}`, token.position);
  return found;
}

function readTime({ text, position }: FilterToken): number {
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw filterError('expected a time such as 2030-01-31T00:00:00Z', position);
  return at;
}

function readBoolean({ kind, text, position }: FilterToken): boolean {
  const word = kind === 'end' ? '' : text.toLowerCase();
  if (word !== 'true' && word !== 'false') throw filterError('expected true or false', position);
  return word === 'true';
}
