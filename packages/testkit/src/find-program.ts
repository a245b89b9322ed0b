import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of this machine: from PATH, or from where Debian has those of administrators. */
export function findProgram(name: string): string | undefined {
  // Debian's docker client fits Debian's engine; another one that comes first in PATH may lack its plug-ins.
  const preferred = name === 'docker' ? ['/usr/bin'] : [];
  for (const folder of [...preferred, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Which of these are not installed, in words; undefined: none. */
export function missingPrograms(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => findProgram(name) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}
