import { RE2JS } from 're2js';
import { type FunctionTable, takes } from '../functions.ts';
import type { Value } from '../values.ts';
import { text, whole } from './arguments.ts';

const maxLength = 500;

/** Sprig's functions on regular expressions, in linear time as Go's are (attack 43). */
export const expressionFunctions: FunctionTable = {
  regexMatch: takes(2, 2, ([pattern, value]) => compile(pattern).matcher(text(value)).find()),
  regexFind: takes(2, 2, ([pattern, value]) => {
    const matcher = compile(pattern).matcher(text(value));
    return matcher.find() ? (matcher.group() ?? '') : '';
  }),
  regexFindAll: takes(3, 3, ([pattern, value, count]) => {
    const matcher = compile(pattern).matcher(text(value));
    const most = whole(count) < 0 ? 10_000 : whole(count);
    const found: string[] = [];
    while (found.length < most && matcher.find()) found.push(matcher.group() ?? '');
    return found;
  }),
  regexReplaceAll: takes(3, 3, ([pattern, value, fresh]) =>
    compile(pattern)
      .matcher(text(value))
      .replaceAll(text(fresh).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => `$${name}`)),
  ),
  regexReplaceAllLiteral: takes(3, 3, ([pattern, value, fresh]) =>
    compile(pattern)
      .matcher(text(value))
      .replaceAll(RE2JS.quoteReplacement(text(fresh))),
  ),
  regexSplit: takes(3, 3, ([pattern, value, count]) => {
    const most = whole(count);
    if (most === 0) return [];
    return compile(pattern).split(text(value), most < 0 ? -1 : most);
  }),
  regexQuoteMeta: takes(1, 1, ([value]) => text(value).replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)),
};

function compile(pattern: Value | undefined): RE2JS {
  const source = text(pattern);
  if (source.length > maxLength) throw new Error(`takes a regular expression of at most ${maxLength} characters`);
  try {
    return RE2JS.compile(source);
  } catch (error) {
    throw new Error(`takes a regular expression in RE2's syntax: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}
