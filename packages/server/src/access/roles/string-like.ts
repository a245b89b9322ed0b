/** `*`: any run of characters. `?`: any one. Else the character itself. */
type Token = { readonly kind: 'run' } | { readonly kind: 'one' } | { readonly kind: 'character'; readonly character: string };

/**
 * The patterns of `StringLike`: `*`, `?`, and a backslash before one that is meant as it is. A star that does not work out
 * is tried one character further on, the last star only, so the time is at most the product of both lengths; texts are
 * repository names.
 */
export function compileStringLike(pattern: string): (text: string) => boolean {
  const tokens = tokensOf(pattern);
  const least = tokens.filter(({ kind }) => kind !== 'run').length;
  return (text) => least <= text.length && matches(tokens, text);
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === '\\' && at + 1 < pattern.length) {
      at += 1;
      tokens.push({ kind: 'character', character: pattern.charAt(at) });
    } else if (character === '?') tokens.push({ kind: 'one' });
    else if (character !== '*') tokens.push({ kind: 'character', character });
    else if (tokens.at(-1)?.kind !== 'run') tokens.push({ kind: 'run' });
  }
  return tokens;
}

function matches(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let at = 0;
  let retry: { readonly token: number; at: number } | undefined;
  while (at < text.length) {
    const current = tokens[token];
    if (current?.kind === 'run') {
      token += 1;
      retry = { token, at };
    } else if (current !== undefined && (current.kind === 'one' || current.character === text.charAt(at))) {
      token += 1;
      at += 1;
    } else if (retry === undefined) return false;
    else {
      retry.at += 1;
      token = retry.token;
      at = retry.at;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === 'run');
}
