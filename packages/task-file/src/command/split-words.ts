/** Words of a command, without a shell: quotes and backslashes mean what they mean to one, and nothing is expanded. */

const operators = /^(?:\|\|?|&&?|;|<<?|>>?|\$\(|`)/;

/**
 * Splits as a POSIX shell splits words.
 * @throws Error whose message goes on after the name of the step's property, for what only a shell could do
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; ) {
    const char = text[at] ?? '';
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    // A line that goes on in the next.
    if (text.startsWith('\\\n', at)) {
      at += 2;
      continue;
    }
    const operator = operators.exec(text.slice(at, at + 2))?.[0];
    if (operator !== undefined) throw needsShell(operator);
    const [part, end] = readPart(text, at);
    word = (word ?? '') + part;
    at = end;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function readPart(text: string, at: number): [string, number] {
  const char = text[at] ?? '';
  if (char === "'") {
    const end = text.indexOf("'", at + 1);
    if (end === -1) throw unclosed(text, at);
    return [text.slice(at + 1, end), end + 1];
  }
  if (char === '"') return readDoubleQuoted(text, at);
  if (char !== '\\') return [char, at + 1];
  const next = text[at + 1];
  if (next === undefined) throw new Error('ends with a backslash');
  return [next, at + 2];
}

function readDoubleQuoted(text: string, start: number): [string, number] {
  let part = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '"') return [part, at + 1];
    if (char === '`' || text.startsWith('$(', at)) throw needsShell(char === '`' ? '`' : '$(');
    const next = text[at + 1] ?? '';
    if (char === '\\' && '"\\$`\n'.includes(next) && next !== '') {
      part += next === '\n' ? '' : next;
      at += 1;
    } else part += char;
  }
  throw unclosed(text, start);
}

function needsShell(operator: string): Error {
  return new Error(`holds ${operator}, which only a shell understands: quote it, or give the image a shell, such as … sh -c "…"`);
}

function unclosed(text: string, at: number): Error {
  return new Error(`has a quote that is not closed: ${text.slice(at, at + 20)}`);
}
