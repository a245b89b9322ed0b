/** One user-visible change, as `changes/TEMPLATE.md` asks for it. */
export interface Fragment {
  readonly kind: Kind;
  readonly title: string;
  readonly text: string;
}

type Kind = 'added' | 'changed' | 'fixed' | 'security';
const kinds: readonly Kind[] = ['added', 'changed', 'fixed', 'security'];

/**
 * Reads `kind: title` on the first line, an empty line, and a text of whole sentences. Throws an error that names the file
 * and says what is wrong with it.
 */
export function parseFragment(name: string, source: string): Fragment {
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*\.md$/.test(name)) throw new Error(`${name}: the name is not in kebab-case`);
  const [head = '', gap, ...rest] = source.split('\n');
  const [, kindText, title] = /^([a-z]+): (.+)$/.exec(head) ?? [];
  const kind = kinds.find((each) => each === kindText);
  if (kind === undefined || title === undefined) throw new Error(`${name}: the first line is not "${kinds.join('|')}: title"`);
  if (title.length > 80 || title.endsWith('.'))
    throw new Error(`${name}: the title is longer than 80 characters or ends in a full stop`);
  const text = rest.join('\n').trim();
  if (gap !== '' || text === '') throw new Error(`${name}: an empty line and a text must follow the first line`);
  if (!/[.!?)`]$/.test(text)) throw new Error(`${name}: the text is not made of whole sentences`);
  if (/<[^>]*…[^>]*>|TODO|FIXME/.test(source)) throw new Error(`${name}: a placeholder of the template is left`);
  return { kind, title, text };
}

/** The section of CHANGELOG.md for a version, grouped by kind. */
export function changelogSection(version: string, date: Date, fragments: readonly Fragment[]): string {
  const day = date.toISOString().slice(0, 10);
  const groups = kinds.map((kind) => {
    const entries = fragments.filter((fragment) => fragment.kind === kind);
    const lines = entries.map(({ title, text }) => `- **${title}.** ${text.replaceAll('\n', '\n  ')}\n`);
    return lines.length === 0 ? '' : `\n### ${kind[0]?.toUpperCase()}${kind.slice(1)}\n\n${lines.join('')}`;
  });
  return `## ${version} (${day})\n${groups.join('')}`;
}
