/**
 * Puts the values of variables in, as a Dockerfile's own language does: `$N`, `${N}`, `${N:-default}`, `${N-default}`,
 * `${N:+other}`, `${N+other}`, and a backslash before a dollar that is meant.
 */
export function expandVariables(text: string, valueOf: (name: string) => string | undefined, depth = 0): string {
  return text.replaceAll(
    /\\\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+])((?:[^{}]|\{[^{}]*\})*))?\})/g,
    (...found: string[]) => {
      const [whole = '', plain, braced, operator, word] = found as (string | undefined)[];
      if (whole === '\\$') return '$';
      const value = valueOf(plain ?? braced ?? '');
      if (operator === undefined) return value ?? '';
      const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
      const other = depth < 10 ? expandVariables(word ?? '', valueOf, depth + 1) : '';
      return operator.endsWith('-') ? (isSet ? (value ?? '') : other) : isSet ? other : '';
    },
  );
}
