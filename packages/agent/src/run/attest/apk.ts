import { type FoundPackage, plainLine, webAddress } from './found-package.ts';
import { linesOf } from './stanzas.ts';

/** The packages of `/lib/apk/db/installed`: lines of a letter, a colon and a value. Letters differ by their case. */
export function* readApk(text: string): Generator<FoundPackage> {
  let fields = new Map<string, string>();
  for (const line of linesOf(`${text}\n\n`)) {
    if (line !== '') {
      // The lines of files come after those of the package.
      if (line[1] === ':' && !fields.has(line.charAt(0))) fields.set(line.charAt(0), line.slice(2));
      continue;
    }
    const found = packageOf(fields);
    if (found !== undefined) yield found;
    fields = new Map();
  }
}

function packageOf(fields: ReadonlyMap<string, string>): FoundPackage | undefined {
  const [name, version, architecture, licence, origin] = ['P', 'V', 'A', 'L', 'o'].map((letter) => plainLine(fields.get(letter)));
  if (name === undefined || version === undefined) return undefined;
  const homepage = webAddress(fields.get('U'));
  return {
    type: 'apk',
    name,
    version,
    ...(architecture !== undefined && { architecture }),
    ...(licence !== undefined && { licence }),
    ...(homepage !== undefined && { homepage }),
    ...(origin !== undefined && origin !== name && { sourceInfo: `built from the source package ${origin}` }),
  };
}
