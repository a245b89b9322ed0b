/** Which flags a command of the engine has. */
export interface FlagTable {
  /** Long names of flags with a value. */
  readonly withValue: ReadonlySet<string>;
  /** Long names of those without. */
  readonly switches: ReadonlySet<string>;
  /** What a letter stands for. */
  readonly letters: Readonly<Record<string, string>>;
}

export interface Flag {
  readonly name: string;
  /** Undefined: a switch. */
  readonly value: string | undefined;
}

export interface FlagsRead {
  readonly flags: readonly Flag[];
  /** What stands behind the flags. */
  readonly rest: readonly string[];
}

/**
 * Reads flags as docker does. `isMixed`: they may stand behind other words, too.
 * @throws Error whose message goes on after the name of the step's property
 */
export function readFlags(words: readonly string[], table: FlagTable, isMixed: boolean): FlagsRead {
  const flags: Flag[] = [];
  const rest: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') {
      rest.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      if (!isMixed) {
        rest.push(...words.slice(at));
        break;
      }
      rest.push(word);
      continue;
    }
    at += word.startsWith('--') ? readLong(word, words[at + 1], table, flags) : readLetters(word, words[at + 1], table, flags);
  }
  return { flags, rest };
}

/** How many of the following words it took. */
function readLong(word: string, next: string | undefined, table: FlagTable, flags: Flag[]): 0 | 1 {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals === -1 ? undefined : equals);
  const given = equals === -1 ? undefined : word.slice(equals + 1);
  if (table.switches.has(name)) {
    if (given === undefined || given === 'true') flags.push({ name, value: undefined });
    else if (given !== 'false') throw new Error(`has --${name}=${given}, which is true or false`);
    return 0;
  }
  if (!table.withValue.has(name)) throw new Error(`has --${name}, which is not known${suggestion(name, table)}`);
  const value = given ?? next;
  if (value === undefined) throw new Error(`has --${name} without its value`);
  flags.push({ name, value });
  return given === undefined ? 1 : 0;
}

/** `-it`, `-p 80:80`, `-p80:80`, `-p=80:80`. */
function readLetters(word: string, next: string | undefined, table: FlagTable, flags: Flag[]): 0 | 1 {
  for (let index = 1; index < word.length; index += 1) {
    const letter = word[index] ?? '';
    const name = table.letters[letter];
    if (name === undefined) throw new Error(`has -${letter}, which is not known`);
    if (table.switches.has(name)) {
      flags.push({ name, value: undefined });
      continue;
    }
    const attached = word.slice(index + 1).replace(/^=/, '');
    const value = attached === '' ? next : attached;
    if (value === undefined) throw new Error(`has -${letter} without its value`);
    flags.push({ name, value });
    return attached === '' ? 1 : 0;
  }
  return 0;
}

function suggestion(name: string, { withValue, switches }: FlagTable): string {
  const near = nearest(name, [...withValue, ...switches]);
  return near === undefined ? '' : `; did you mean --${near}?`;
}

/** The one of these that differs the least, if that is little. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const each of known) {
    const distance = distanceOf(name.toLowerCase(), each.toLowerCase());
    if (distance <= Math.max(1, Math.floor(each.length / 3)) && (best === undefined || distance < best.distance))
      best = { name: each, distance };
  }
  return best?.name;
}

/** Letters that are missing, too many, wrong, or in the wrong order beside each other, in two short words. */
function distanceOf(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return 64;
  let above: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const changed = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, changed, isSwapped ? (above[j - 2] ?? 0) + 1 : Infinity));
    }
    [above, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
