/** Fields of a stanza by their names in small letters; of a field that stands twice, the first. */
export type Stanza = ReadonlyMap<string, string>;

/** `Name: value` lines as dpkg and Python's metadata have them: stanzas end with an empty line, long values go on after a space. */
export function* readStanzas(text: string): Generator<Stanza> {
  let stanza = new Map<string, string>();
  for (const line of linesOf(text)) {
    if (line.trim() === '') {
      if (stanza.size > 0) yield stanza;
      stanza = new Map();
      continue;
    }
    // Only what is one line is of use here.
    if (/^\s/.test(line)) continue;
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    if (!stanza.has(name)) stanza.set(name, line.slice(colon + 1).trim());
  }
  if (stanza.size > 0) yield stanza;
}

/** Line by line, without an array of all of them. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    yield text.slice(start, end > start && text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
  }
}
