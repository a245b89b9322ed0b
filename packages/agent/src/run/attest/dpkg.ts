import { type FoundPackage, plainLine, webAddress } from './found-package.ts';
import { type Stanza, readStanzas } from './stanzas.ts';

/** The packages of `/var/lib/dpkg/status`, or of a file in `status.d` of images without dpkg itself. */
export function* readDpkg(text: string): Generator<FoundPackage> {
  for (const stanza of readStanzas(text)) {
    const name = plainLine(stanza.get('package'));
    const version = plainLine(stanza.get('version'));
    if (name === undefined || version === undefined || !isInstalled(stanza)) continue;
    const architecture = plainLine(stanza.get('architecture'));
    const homepage = webAddress(stanza.get('homepage'));
    const source = plainLine(stanza.get('source'));
    yield {
      type: 'deb',
      name,
      version,
      ...(architecture !== undefined && { architecture }),
      ...(homepage !== undefined && { homepage }),
      ...(source !== undefined && { sourceInfo: `built from the source package ${source}` }),
    };
  }
}

/** Files in `status.d` have no status: they are there because the package is. Removed packages keep theirs. */
function isInstalled(stanza: Stanza): boolean {
  const status = stanza.get('status');
  return status === undefined || status.split(/\s+/)[2] === 'installed';
}
