/** How much work a list of globs may cost for one event: characters of names times characters of patterns. */
const maxWork = 20_000_000;

type Token =
  | { readonly kind: 'character'; readonly character: string }
  /** `?`: one character of a name; `*`: any of one name; `**`: any, slashes too; `**` and a slash: any folders, or none. */
  | { readonly kind: 'one' | 'name' | 'path' | 'folders' };

/**
 * Whether a name matches a list of globs, of which the last that matches decides; those that begin with `!` take out. A glob that ends in a slash
 * means all that is in the folder. Costs at most the length of the name times that of the globs, whatever they say (attack 43).
 */
export function matchesGlobs(globs: readonly string[], name: string): boolean {
  // A list that only takes out begins with everything.
  let isIn = globs.every((glob) => glob.startsWith('!'));
  for (const glob of globs) {
    const isTakenOut = glob.startsWith('!');
    if (isTakenOut === isIn && matchesGlob(isTakenOut ? glob.slice(1) : glob, name)) isIn = !isTakenOut;
  }
  return isIn;
}

/** Whether some of the names match. Undefined: finding out costs too much. */
export function someMatchGlobs(globs: readonly string[], names: readonly string[]): boolean | undefined {
  const patternLength = globs.reduce((sum, glob) => sum + glob.length, 0);
  const nameLength = names.reduce((sum, name) => sum + name.length, 0);
  return patternLength * nameLength > maxWork ? undefined : names.some((name) => matchesGlobs(globs, name));
}

/** Goes through the name once, with every place in the glob that it may have reached. */
function matchesGlob(glob: string, name: string): boolean {
  const tokens = tokensOf(glob);
  let places = new Set<number>();
  enter(tokens, 0, places);
  for (const character of name) {
    const next = new Set<number>();
    for (const place of places) step(tokens, place, character, next);
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(tokens.length);
}

function step(tokens: readonly Token[], place: number, character: string, next: Set<number>): void {
  const token = tokens[place];
  switch (token?.kind) {
    case undefined:
      return;
    case 'character':
      if (token.character === character) enter(tokens, place + 1, next);
      return;
    case 'one':
      if (character !== '/') enter(tokens, place + 1, next);
      return;
    case 'name':
      if (character !== '/') enter(tokens, place, next);
      return;
    case 'path':
      enter(tokens, place, next);
      return;
    case 'folders':
      // In the middle of a folder's name: what follows may begin behind its slash only.
      next.add(place);
      if (character === '/') enter(tokens, place + 1, next);
  }
}

/** A place, and those behind it that are reached without a character. */
function enter(tokens: readonly Token[], from: number, places: Set<number>): void {
  for (let place = from; ; place += 1) {
    places.add(place);
    const kind = tokens[place]?.kind;
    if (kind !== 'name' && kind !== 'path' && kind !== 'folders') return;
  }
}

function tokensOf(glob: string): readonly Token[] {
  const text = glob.endsWith('/') ? `${glob}**` : glob;
  return [...text.matchAll(/\*\*+\/|\*\*+|\*|\?|[^*?]/gsu)].map(([part]): Token => {
    if (part === '*') return { kind: 'name' };
    if (part === '?') return { kind: 'one' };
    if (!part.startsWith('*')) return { kind: 'character', character: part };
    return { kind: part.endsWith('/') ? 'folders' : 'path' };
  });
}
