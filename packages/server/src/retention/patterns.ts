import type { RE2JS } from 're2js';
import { RegistryError } from '../errors/index.ts';

/** Whether a whole name matches. */
export type NameMatch = (name: string) => boolean;

/** What `acr purge --filter` names: repositories, and tags in them. */
export interface Filter {
  readonly matchesRepository: NameMatch;
  readonly matchesTag: NameMatch;
}

const maxPatternLength = 512;

/** Steps of a compiled pattern. A match costs at most as much as steps times characters; `x{1000}` for a tag is a mistake. */
const maxProgramSize = 1000;

/**
 * A regular expression in RE2's syntax, which matches in linear time whatever it says (attack 43), against whole names.
 * @throws INVALID_PARAMETER naming the pattern
 */
export async function compileExpression(pattern: string, target: string): Promise<NameMatch> {
  requireLength(pattern, target);
  // Loaded late: most servers never need it, and every start would pay for it.
  const { RE2JS: engine } = await import('re2js');
  let compiled: RE2JS;
  try {
    compiled = engine.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : '';
    throw invalid(pattern, target, `is no regular expression in RE2's syntax: ${reason}`);
  }
  if (compiled.programSize() > maxProgramSize) throw invalid(pattern, target, 'repeats too much');
  return (name) => compiled.testExact(name);
}

/**
 * A glob, in which only `*` means something: anything, slashes too. Written out, not translated, since it is asked for each
 * repository. @throws INVALID_PARAMETER naming the pattern
 */
export function compileGlob(pattern: string, target: string): NameMatch {
  requireLength(pattern, target);
  if (pattern === '') throw invalid(pattern, target, 'is empty; * matches every name');
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (name) => name === pattern;
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    // The leftmost place of each piece leaves the most room for the next: no other choice has to be tried.
    let at = first.length;
    for (const piece of rest) {
      const found = name.indexOf(piece, at);
      if (found === -1) return false;
      at = found + piece.length;
    }
    return at <= name.length - last.length;
  };
}

/**
 * `repository:tag`, each a regular expression, as `acr purge` reads it: parted at the last colon that does not belong to one
 * of them. @throws INVALID_PARAMETER naming the filter
 */
export async function compileFilter(filter: string): Promise<Filter> {
  requireLength(filter, 'filters');
  const at = partingColon(filter);
  if (at === undefined) throw invalid(filter, 'filters', 'has no colon between repository and tag; write app/.*:v.*');
  const [repository, tag] = [filter.slice(0, at), filter.slice(at + 1)];
  if (repository === '') throw invalid(filter, 'filters', 'names no repository; .* matches each');
  if (tag === '') throw invalid(filter, 'filters', 'names no tag; .* matches each');
  return {
    matchesRepository: await compileExpression(repository, 'filters'),
    matchesTag: await compileExpression(tag, 'filters'),
  };
}

/** Not after a backslash, not in a class (`[[:alpha:]]`), not in the head of a group (`(?i:`). */
function partingColon(filter: string): number | undefined {
  const parts = filter.matchAll(/\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?[a-zA-Z-]*:|:/gs);
  return [...parts].findLast(([text]) => text === ':')?.index;
}

function requireLength(pattern: string, target: string): void {
  if (pattern.length <= maxPatternLength) return;
  const message = `a pattern of ${pattern.length} characters is too long (${maxPatternLength} at the most): ${pattern.slice(0, 60)}…`;
  throw new RegistryError('INVALID_PARAMETER', { message, target });
}

function invalid(pattern: string, target: string, reason: string): RegistryError {
  return new RegistryError('INVALID_PARAMETER', { message: `the pattern "${pattern}" ${reason}`, target });
}
