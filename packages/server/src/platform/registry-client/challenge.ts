/** One of the ways in which a server lets itself be convinced (RFC 9110, section 11.6.1). */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const quotedText = /"((?:[^"\\]|\\.)*)"/y;
const separators = /[\s,]*/y;
const equals = /\s*=\s*/y;

const maxHeaderLength = 8192;

/** Every challenge of a `WWW-Authenticate` header; what cannot be read ends the list. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const text = (header ?? '').slice(0, maxHeaderLength);
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match !== null) position += match[0].length;
    return match;
  };
  for (;;) {
    take(separators);
    const name = take(token)?.[0].toLowerCase();
    if (name === undefined) return challenges;
    // A name with a value belongs to the challenge before; any other begins one.
    if (take(equals) === null) {
      challenges.push({ scheme: name, parameters: new Map() });
      continue;
    }
    const value = take(quotedText)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? take(token)?.[0];
    if (value === undefined) return challenges;
    challenges.at(-1)?.parameters.set(name, value);
  }
}
