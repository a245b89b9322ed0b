import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative, sep } from 'node:path';
import { root } from './workspace.ts';

/** Folders whose tests must run at least this share of their lines, in percent. */
const bounds = {
  'packages/oci/src': 90,
  'packages/server/src/blobs': 90,
  'packages/server/src/catalog': 90,
  'packages/server/src/access': 90,
  'packages/server/src/platform': 90,
} as const;

export interface FileCoverage {
  readonly path: string;
  readonly totalLineCount: number;
  readonly coveredLineCount: number;
}

/** Prints the coverage of each bounded folder, and returns one sentence for each that falls short. */
export function coverageShortfalls(files: readonly FileCoverage[]): readonly string[] {
  const byPath = new Map(files.map((file) => [relative(root, file.path).split(sep).join('/'), file]));
  const shortfalls: string[] = [];
  for (const [folder, bound] of Object.entries(bounds)) {
    const sources = globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ['**/*.test.ts', '**/*.contract.ts'] });
    const measured = sources.map((path) => byPath.get(path) ?? unloaded(path));
    const total = measured.reduce((sum, file) => sum + file.totalLineCount, 0);
    const covered = measured.reduce((sum, file) => sum + file.coveredLineCount, 0);
    const percent = total === 0 ? 0 : (100 * covered) / total;
    console.log(`coverage ${folder}: ${percent.toFixed(1)} % of ${total} lines in ${sources.length} files`);
    if (percent < bound) shortfalls.push(`coverage of ${folder} is ${percent.toFixed(1)} %, below ${bound} %`);
  }
  return shortfalls;
}

/** A file that no test loads counts as uncovered, unless it holds nothing but types. */
function unloaded(path: string): FileCoverage {
  const source = readFileSync(join(root, path), 'utf8');
  const code = stripTypeScriptTypes(source).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const holdsCode = /\S/.test(code.replaceAll(/^\s*(?:import|export)\s[^;]*;\s*$/gm, ''));
  return { path, totalLineCount: holdsCode ? source.split('\n').length : 0, coveredLineCount: 0 };
}
