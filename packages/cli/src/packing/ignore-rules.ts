import { posix } from 'node:path';
import { CommandError } from '../command-error.ts';
import {
  type IgnorePattern,
  PatternError,
  compilePattern,
  isPlain,
  literalPattern,
  withoutTrailingGlob,
} from './ignore-pattern.ts';

/** Which patterns matched a folder: what is below it need not be asked again. */
export type FolderMatches = readonly boolean[];

export interface Match {
  readonly isIgnored: boolean;
  readonly matches: FolderMatches;
}

/**
 * What a `.dockerignore` leaves out. It decides as Docker's BuildKit does: patterns in their order, the last that matches a
 * path or one of its parents wins.
 */
export class IgnoreRules {
  readonly #patterns: readonly IgnorePattern[];
  readonly #hasExceptions: boolean;
  readonly #hasGlobExceptions: boolean;

  constructor(patterns: readonly IgnorePattern[]) {
    this.#patterns = patterns;
    const exceptions = patterns.filter(({ isException }) => isException);
    this.#hasExceptions = exceptions.length > 0;
    this.#hasGlobExceptions = exceptions.some((pattern) => !isPlain(pattern));
  }

  /** The same, but a path is never left out. */
  including(path: string): IgnoreRules {
    return this.isIgnored(path) ? new IgnoreRules([...this.#patterns, literalPattern(path, true)]) : this;
  }

  /** For a path whose parents nobody has asked about. */
  isIgnored(path: string): boolean {
    const names = path.split('/');
    let match: Match = { isIgnored: false, matches: [] };
    for (let depth = 1; depth <= names.length; depth += 1) match = this.match(names.slice(0, depth).join('/'), match.matches);
    return match.isIgnored;
  }

  /** @param path with slashes, relative to the context @param parent what `match` said of its folder; empty at the top */
  match(path: string, parent: FolderMatches): Match {
    let isIgnored = false;
    const matches = this.#patterns.map(({ isException, matches: isMatch }, index) => {
      const isHit = parent[index] === true || (isException === isIgnored && isMatch(path));
      if (isHit) isIgnored = !isException;
      return isHit;
    });
    return { isIgnored, matches };
  }

  /** Whether an exception may bring back something below a folder that is left out: otherwise nobody looks into it. */
  mayBringBack(folder: string): boolean {
    if (!this.#hasExceptions) return false;
    if (this.#hasGlobExceptions) return true;
    return this.#patterns.some(
      ({ isException, text }) => isException && `${withoutTrailingGlob(text)}/`.startsWith(`${folder}/`),
    );
  }
}

/** Git's own folder is not part of what is built, unless the file says `!.git`, as with `az acr build`. */
const usual = [literalPattern('.git', false)];

/**
 * Reads a `.dockerignore` as Docker does. @param name of the file, for messages
 * @throws CommandError when a pattern is none
 */
export function parseIgnoreFile(text: string, name: string): IgnoreRules {
  const patterns: IgnorePattern[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('#')) continue;
    const trimmed = trim(line);
    if (trimmed === '') continue;
    const isMarked = trimmed.startsWith('!');
    const path = withoutRoot(cleaned(trim(isMarked ? trimmed.slice(1) : trimmed)));
    // Docker cleans the whole once more, which changes what begins with "/!" or "!..".
    const whole = cleaned(isMarked ? `!${path}` : path);
    const isException = whole.startsWith('!');
    try {
      if (whole === '!') throw new PatternError('is an exclamation mark without a pattern');
      patterns.push(compilePattern(isException ? whole.slice(1) : whole, isException));
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw new CommandError(
        `${name}:${index + 1}: ${JSON.stringify(trimmed)} ${error.message}`,
        'correct the line; * ? [a-z] ** and a leading ! have a meaning there',
        { cause: error },
      );
    }
  }
  return new IgnoreRules([...usual, ...patterns]);
}

/** Without a file nothing but Git's own is left out. */
export function noIgnoreFile(): IgnoreRules {
  return new IgnoreRules(usual);
}

/** As Go trims: a byte order mark is no space. */
function trim(text: string): string {
  return text.replaceAll(/^[^\S\uFEFF]+|[^\S\uFEFF]+$/g, '');
}

/** As Go's filepath.Clean has it. */
function cleaned(text: string): string {
  return text === '' ? '' : posix.normalize(text).replace(/(?<=.)\/$/, '');
}

/** Patterns are relative to the context, whatever they begin with. */
function withoutRoot(path: string): string {
  return path.length > 1 && path.startsWith('/') ? path.slice(1) : path;
}
