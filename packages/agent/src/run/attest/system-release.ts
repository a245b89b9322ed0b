import { plainLine } from './found-package.ts';
import { linesOf } from './stanzas.ts';

/** What an image says of the system in it. */
export interface SystemRelease {
  readonly id: string;
  readonly versionId: string | undefined;
}

/** Reads `os-release`; undefined when it names no system. */
export function readSystemRelease(text: string): SystemRelease | undefined {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, name, quoted, plain] = /^([A-Z_]+)=(?:["']([^"'\\]*)["']|([\w.-]*))\s*$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, quoted ?? plain ?? '');
  }
  const id = plainLine(values.get('ID'));
  if (id === undefined || !/^[a-z0-9._-]+$/.test(id)) return undefined;
  return { id, versionId: plainLine(values.get('VERSION_ID')) };
}
