import type { ImportGraph } from './import-graph.ts';

/** Which packages a package may import. Nothing shipped imports testkit. */
const packageEdges: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  api: ['oci'],
  'task-file': ['oci'],
  server: ['api', 'oci', 'task-file'],
  cli: ['api', 'oci', 'task-file'],
  agent: ['api', 'oci', 'task-file'],
  portal: ['api', 'oci'],
  testkit: ['server', 'api', 'oci'],
};

/** Which features of the server may import which others, through their index.ts. A new edge is a line here. */
const featureEdges: Readonly<Record<string, readonly string[]>> = {
  access: ['resources'],
  arm: ['access', 'imports', 'registries', 'resources', 'runs', 'tasks'],
  audit: [],
  blobs: ['repositories'],
  catalog: ['blobs', 'changes', 'repositories'],
  changes: [],
  health: [],
  imports: ['blobs', 'catalog'],
  registries: [],
  replication: ['blobs', 'catalog', 'changes', 'registries', 'repositories', 'resources', 'webhooks'],
  repositories: [],
  resources: [],
  retention: ['catalog', 'repositories'],
  runs: [],
  scrub: [],
  tasks: ['resources', 'runs'],
  triggers: ['runs', 'tasks'],
  upkeep: [],
  usage: ['changes'],
  webhooks: ['changes', 'resources'],
};

/** Folders of the server that know no feature, and which of each other they know. */
const foundations: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  tenancy: [],
  settings: ['errors', 'platform'],
  platform: ['errors', 'tenancy'],
  http: ['errors', 'tenancy', 'settings', 'platform'],
};

/** Modules from outside that one folder alone may import. */
const confined: readonly { readonly modules: RegExp; readonly folder: string }[] = [
  { modules: /^(?:fastify|@fastify\/.*)$/, folder: 'packages/server/src/http/' },
  { modules: /^(?:pg|pg-.*|node:sqlite)$/, folder: 'packages/server/src/platform/database/' },
];

const forbiddenNames = /(?:^|\/)(?:utils?|common|helpers?|misc|lib)(?:\/|\.ts$)/;

/** Every breach of the dependency law, each with the chain of imports that leads to it. */
export function findBreaches(graph: ImportGraph): readonly string[] {
  const breaches: string[] = [];
  for (const [file, imports] of graph) {
    if (forbiddenNames.test(file))
      breaches.push(`${file}: name it after what it does, not "utils", "common", "helpers", "misc" or "lib"`);
    for (const target of imports) {
      const reason = reasonAgainst(file, target);
      if (reason !== undefined) breaches.push(`${reason}\n  ${[...chainTo(graph, file), target].join('\n  → ')}`);
    }
  }
  for (const cycle of findCycles(graph)) breaches.push(`an import cycle\n  ${cycle.join('\n  → ')}`);
  return breaches;
}

function reasonAgainst(file: string, target: string): string | undefined {
  const confinement = confined.find(({ modules }) => modules.test(target));
  if (confinement !== undefined && !file.startsWith(confinement.folder)) return `only ${confinement.folder} imports ${target}`;
  const [from, to] = [packageOf(file), packageOf(target)];
  if (from === undefined) return undefined;
  if (to === undefined) return target.startsWith('@berth/') ? `${target} is no entry of a package` : undefined;
  if (from !== to) return packageEdges[from]?.includes(to) === true ? undefined : `the package ${from} does not import ${to}`;
  return from === 'server' ? reasonInServer(file, target) : undefined;
}

function reasonInServer(file: string, target: string): string | undefined {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to && from !== '') return undefined;
  if (from === '') return reasonAtTop(file, target, to);
  if (to === '') return `${from} does not import what assembles the server`;
  const known = foundations[from];
  if (known !== undefined) return known.includes(to) ? undefined : `${from} does not import ${to}`;
  if (to === 'http') return mayImportHttp(file, target) ? undefined : 'in a feature only routes.ts imports http';
  if (to in foundations) return undefined;
  if (featureEdges[from]?.includes(to) !== true) return `the feature ${from} does not import the feature ${to}`;
  return target.endsWith(`/src/${to}/index.ts`) ? undefined : `a feature is imported through its index.ts`;
}

/** A feature's routes.ts, or several by what they are about; and its index.ts, which hands the routes on, names their type. */
function mayImportHttp(file: string, target: string): boolean {
  return /[/-]routes\.ts$/.test(file) || (file.endsWith('/index.ts') && target.endsWith('/http/route.ts'));
}

/** main.ts, assemble.ts, transactions.ts, index.ts: what stands above the features. */
function reasonAtTop(file: string, target: string, to: string): string | undefined {
  if (to === '' || to in foundations || target.endsWith(`/src/${to}/index.ts`)) return undefined;
  const isListOfTransactions = file.endsWith('/src/transactions.ts') && target.endsWith('/transactions.ts');
  return isListOfTransactions ? undefined : 'a feature is imported through its index.ts';
}

function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

/** The folder below packages/server/src; empty for files beside the folders. */
function folderOf(path: string): string {
  return /^packages\/server\/src\/([^/]+)\//.exec(path)?.[1] ?? '';
}

/** The shortest chain of imports from a file that nobody imports (main.ts, a package's index.ts) to this one. */
function chainTo(graph: ImportGraph, file: string): readonly string[] {
  const importers = new Map<string, string[]>();
  for (const [source, targets] of graph) {
    for (const target of targets) importers.set(target, [...(importers.get(target) ?? []), source]);
  }
  const seen = new Set([file]);
  let chains: string[][] = [[file]];
  let longest = [file];
  while (chains.length > 0) {
    const found = chains.find(([first = '']) => !importers.has(first));
    if (found !== undefined) return found;
    longest = chains[0] ?? longest;
    chains = chains.flatMap((chain) => {
      const fresh = (importers.get(chain[0] ?? '') ?? []).filter((importer) => !seen.has(importer));
      for (const importer of fresh) seen.add(importer);
      return fresh.map((importer) => [importer, ...chain]);
    });
  }
  return longest;
}

/** One cycle for each file that closes one, found depth first. */
function findCycles(graph: ImportGraph): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (done.has(file)) return;
    const start = path.indexOf(file);
    if (start !== -1) {
      cycles.push([...path.slice(start), file]);
      return;
    }
    path.push(file);
    for (const target of graph.get(file) ?? []) if (graph.has(target)) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}
