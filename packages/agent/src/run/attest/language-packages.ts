import { type FoundPackage, plainLine, webAddress } from './found-package.ts';
import { readStanzas } from './stanzas.ts';

const npmName = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;
const pythonName = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/;

/** The package of a `package.json` in `node_modules`; undefined for what is no package. */
export function readNpm(text: string): FoundPackage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const description = json as Readonly<Record<string, unknown>>;
  const name = plainLine(description['name']);
  const version = plainLine(description['version']);
  if (name === undefined || version === undefined || !npmName.test(name)) return undefined;
  const licence = plainLine(npmLicence(description['license']));
  const homepage = webAddress(description['homepage']);
  return { type: 'npm', name, version, ...(licence !== undefined && { licence }), ...(homepage !== undefined && { homepage }) };
}

/** Old packages have an object. */
function npmLicence(licence: unknown): unknown {
  return typeof licence === 'object' && licence !== null ? (licence as Readonly<Record<string, unknown>>)['type'] : licence;
}

/** The package of a `METADATA` in `*.dist-info` or a `PKG-INFO` in `*.egg-info`; undefined for what is none. */
export function readPython(text: string): FoundPackage | undefined {
  // The description follows the first empty line.
  const [stanza] = readStanzas(text.slice(0, 256 * 1024));
  const name = plainLine(stanza?.get('name'));
  const version = plainLine(stanza?.get('version'));
  if (name === undefined || version === undefined || !pythonName.test(name)) return undefined;
  const licence = plainLine(stanza?.get('license-expression')) ?? plainLine(stanza?.get('license'));
  const homepage = webAddress(stanza?.get('home-page'));
  const isKnown = licence !== undefined && licence.toUpperCase() !== 'UNKNOWN';
  return { type: 'pypi', name, version, ...(isKnown && { licence }), ...(homepage !== undefined && { homepage }) };
}
