/** What happens to the text before it is a document (acr-tasks 2.4, steps 1 and 2). Lines keep their numbers. */

export interface PreparedSource {
  /** Without comments and alias block; both leave empty lines. */
  readonly text: string;
  /** The lines of `alias:` with what belongs to it; empty if there is none. */
  readonly aliasBlock: string;
  /** As it is written, without quotes; undefined if there is none. */
  readonly version: string | undefined;
}

/**
 * Blanks comments, so that templates in them are not rendered, and takes the alias block out. Unlike ACR, lines of a block
 * scalar (`cmd: |`) that begin with `#` stay: they are lines of a script.
 */
export function prepareSource(source: string): PreparedSource {
  const lines = source
    .replaceAll('\r\n', '\n')
    .replace(/^\uFEFF/, '')
    .split('\n');
  const alias: string[] = [];
  const rest: string[] = [];
  let scalarIndent: number | undefined;
  let isInAlias = false;
  for (const line of lines) {
    const indent = line.search(/\S/);
    if (scalarIndent !== undefined && indent !== -1 && indent <= scalarIndent) scalarIndent = undefined;
    const isComment = scalarIndent === undefined && /^\s*#/.test(line);
    if (indent === 0 && !isComment) isInAlias = /^alias\s*:/.test(line);
    const kept = isComment ? '' : line;
    (isInAlias ? alias : rest).push(kept);
    (isInAlias ? rest : alias).push('');
    if (scalarIndent === undefined && !isComment && /(?:^|[:\-\s])[|>][+\-0-9]*\s*(?:#.*)?$/.test(line))
      scalarIndent = scalarIndentOf(line);
  }
  const version = /^version\s*:\s*['"]?([^\s'"#]+)/m.exec(rest.join('\n'))?.[1];
  const aliasBlock = alias.join('\n');
  return { text: rest.join('\n'), aliasBlock: aliasBlock.trim() === '' ? '' : aliasBlock, version };
}

/** A scalar is deeper than the key that it belongs to, which may stand behind dashes. */
function scalarIndentOf(line: string): number {
  return /^[\s-]*/.exec(line)?.[0].length ?? 0;
}
