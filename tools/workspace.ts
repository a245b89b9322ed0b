import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export interface WorkspacePackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path. */
  readonly folder: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The packages of the workspace, each after those it depends on. */
export function workspacePackages(): readonly WorkspacePackage[] {
  const all = readdirSync(join(root, 'packages')).map((entry) => readPackage(join(root, 'packages', entry)));
  const ordered: WorkspacePackage[] = [];
  const place = (item: WorkspacePackage): void => {
    if (ordered.includes(item)) return;
    for (const name of Object.keys(item.dependencies)) {
      const needed = all.find((other) => other.name === name);
      if (needed !== undefined) place(needed);
    }
    ordered.push(item);
  };
  for (const item of all) place(item);
  return ordered;
}

function readPackage(folder: string): WorkspacePackage {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Omit<
    WorkspacePackage,
    'folder' | 'dependencies'
  > & {
    dependencies?: Record<string, string>;
  };
  return { name: manifest.name, version: manifest.version, folder, dependencies: manifest.dependencies ?? {} };
}
