import type { AttributeValue, Change, ChangeAction, Fact, FactAttribute, FactRequest, Stamp } from '@berth/api';
import { parseDigest, parseRepositoryName, parseTag } from '@berth/oci';

/** What another region tells, judged before anything of it is kept. A name that this region would not have taken is not taken from others either. */

const actions: ReadonlySet<string> = new Set<ChangeAction>([
  'push',
  'tag',
  'renew',
  'untag',
  'delete',
  'delete-repository',
  'attributes',
  'pull',
]);
const attributeNames: ReadonlySet<string> = new Set<FactAttribute>([
  'delete_enabled',
  'write_enabled',
  'list_enabled',
  'read_enabled',
  'quarantine_state',
  'quarantine_details',
]);
const regionPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const maxTextLength = 64 * 1024;
const maxRequestTextLength = 2_048;
const maxMediaTypeLength = 256;

/** Thrown for what is no fact; says what is wrong with it. */
export class NoFactError extends Error {
  override readonly name = 'NoFactError';
}

/** Some region's clock was wrong when it wrote this. Taken in, it would win over everything that is done until then. */
export class FutureFactError extends NoFactError {}

/** `maxClock`: what is said to have been done later than that is not taken. @throws NoFactError */
export function parseChange(value: unknown, maxClock: number): Change {
  const change = objectOf(value, 'a change');
  requireThat(isCount(change['sequence']), 'a change without a sequence');
  requireThat(typeof change['action'] === 'string' && actions.has(change['action']), 'a change with an unknown action');
  requireThat(typeof change['isVisible'] === 'boolean', 'a change that does not say whether it is visible');
  parseFact(change['fact'], maxClock);
  return value as Change;
}

/** @throws NoFactError */
export function parseFact(value: unknown, maxClock: number): Fact {
  const fact = objectOf(value, 'a fact');
  requireName(fact);
  const { set, deleted, attributes, content, request, pulledAt } = fact;
  if (set !== undefined) {
    requireStamp(set, maxClock);
    requireThat((fact['kind'] === 'tag') === 'digest' in set, 'a tag without a digest, or a digest without a tag');
    if ('digest' in set) requireDigest(set.digest);
  }
  if (deleted !== undefined) requireStamp(deleted, maxClock);
  if (attributes !== undefined) requireAttributes(attributes, maxClock);
  if (content !== undefined) requireContent(content);
  if (request !== undefined) requireRequest(request);
  if (pulledAt !== undefined) requireThat(isCount(pulledAt), 'a time that is none');
  return value as Fact;
}

function requireName({ kind, repository, name }: Readonly<Record<string, unknown>>): void {
  requireThat(typeof repository === 'string' && typeof name === 'string', 'a fact without a name');
  try {
    parseRepositoryName(repository);
    if (kind === 'manifest') parseDigest(name);
    else if (kind === 'tag') parseTag(name);
    else requireThat(kind === 'repository' && name === '', 'a fact of an unknown kind');
  } catch (error) {
    throw error instanceof NoFactError ? error : new NoFactError('a name that no repository, manifest or tag has');
  }
}

function requireStamp(value: unknown, maxClock: number): asserts value is Stamp & { readonly digest?: unknown } {
  const { clock, origin } = objectOf(value, 'a stamp');
  requireThat(isCount(clock) && clock > 0, 'a clock that is none');
  if (clock > maxClock) throw new FutureFactError('something that is said to have been done in the future');
  requireThat(typeof origin === 'string' && regionPattern.test(origin), 'an origin that is no region');
}

function requireDigest(value: unknown): void {
  try {
    parseDigest(String(value));
  } catch {
    throw new NoFactError('a digest that is none');
  }
}

function requireAttributes(value: unknown, maxClock: number): void {
  for (const [name, entry] of Object.entries(objectOf(value, 'attributes'))) {
    requireThat(attributeNames.has(name), 'an unknown attribute');
    requireStamp(entry, maxClock);
    const { value: said } = entry as Partial<AttributeValue>;
    requireThat(said === null || Number.isSafeInteger(said) || isText(said, maxTextLength), 'an attribute without a value');
  }
}

function requireContent(value: unknown): void {
  const { mediaType, sizeBytes, bytes } = objectOf(value, 'content');
  requireThat(isText(mediaType, maxMediaTypeLength) && isCount(sizeBytes), 'a manifest without type or size');
  requireThat(bytes === undefined || typeof bytes === 'string', 'bytes of a manifest that are no text');
}

function requireRequest(value: unknown): void {
  const request: Partial<Record<keyof FactRequest, unknown>> = objectOf(value, 'a request');
  const { id, host, method, useragent, actor = '', address = '' } = request;
  for (const text of [id, host, method, useragent, actor, address])
    requireThat(isText(text, maxRequestTextLength), 'a request that lacks something');
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  requireThat(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} that is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength;
}

function requireThat(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new NoFactError(otherwise);
}
