import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

/** What each file imports: files by their path from the root of the checkout, everything else as it is written. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const statements = [
  /^(?:import|export)\b[^;'"`]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\('([^']+)'\)/g,
  // Worker threads are named this way.
  /\bnew URL\([^)]*?'(\.[^']+\.ts)'[^)]*, import\.meta\.url\)/g,
];

/** The specifiers of a source text: static, dynamic, of types only, re-exported. */
export function importsOf(source: string): readonly string[] {
  const found = statements.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1] ?? ''));
  return [...new Set(found)];
}

/** Reads the sources of all packages. Tests and what only tests use are no part of the product and have no say here. */
export function readImportGraph(root: string): ImportGraph {
  const aliases = readAliases(root);
  const files = globSync('packages/*/src/**/*.ts', { cwd: root }).map((path) => path.split(sep).join('/'));
  const graph = new Map<string, readonly string[]>();
  for (const file of files.filter((path) => !isTestFile(path)).toSorted()) {
    const specifiers = importsOf(readFileSync(join(root, file), 'utf8'));
    graph.set(
      file,
      specifiers.map((specifier) => resolve(file, specifier, aliases)),
    );
  }
  return graph;
}

function isTestFile(path: string): boolean {
  return /\.(?:test|contract)\.ts$/.test(path) || /\/test-[^/]+\.ts$/.test(path) || path.includes('/testing/');
}

function resolve(file: string, specifier: string, aliases: ReadonlyMap<string, string>): string {
  if (specifier.startsWith('.'))
    return normalize(join(dirname(file), specifier))
      .split(sep)
      .join('/');
  return aliases.get(specifier) ?? specifier;
}

interface PackageManifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, { readonly source?: string }>>;
}

/** `@berth/server/database` → `packages/server/src/platform/database/index.ts`, from the packages' own `exports`. */
function readAliases(root: string): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const path of globSync('packages/*/package.json', { cwd: root })) {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as PackageManifest;
    for (const [entry, { source }] of Object.entries(manifest.exports ?? {})) {
      if (source === undefined) continue;
      const file = normalize(join(dirname(path), source))
        .split(sep)
        .join('/');
      if (existsSync(join(root, file))) aliases.set(join(manifest.name, entry).split(sep).join('/'), file);
    }
  }
  return aliases;
}
