const [escape, bell, csi, end] = ['\u001B', '\u0007', '\u009B', '\u009C'];
/** Device control, start of string, operating system command, privacy message, application command: each is followed by a text. */
const strings = '\u0090\u0098\u009D\u009E\u009F';

/**
 * What terminals act upon: CSI sequences, the texts of OSC and its kin (titles, links, the clipboard), and short escapes. A text that
 * is begun and never ended goes to the end of the line.
 */
const sequences = new RegExp(
  [
    `(?:${escape}\\[|${csi})[0-?]*[ -/]*[@-~]?`,
    `(?:${escape}[\\]PX^_]|[${strings}])[^${bell}${escape}${end}]*(?:${bell}|${escape}\\\\|${end})?`,
    `${escape}[ -/]*[0-~]?`,
  ].join('|'),
  'g',
);

/** Other control characters but the tab, and those that turn the direction of text around and so hide what a line says. */
const controls = /[[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]--[\t]]/gv;

/** The text of a line without anything that could act on whoever looks at it (attacks 34, 42). Colours go, too. */
export function plainText(line: string): string {
  return line.replace(sequences, '').replace(controls, '').toWellFormed();
}
