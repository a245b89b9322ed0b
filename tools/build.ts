/**
 * `npm run build`: emits every package to its `dist` (JavaScript and declarations, no tests), packs them as for
 * publishing, and pushes and pulls a blob through the packed server, started by plain Node.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smokeTest } from './smoke-test.ts';
import { type WorkspacePackage, root, workspacePackages } from './workspace.ts';

const testFiles = ['**/*.test.ts', '**/*.contract.ts', '**/test-*.ts'];

/** Compiles against the declarations of the packages built before, as a user of the package would. */
function emit(item: WorkspacePackage): void {
  rmSync(join(item.folder, 'dist'), { recursive: true, force: true });
  const folder = join(root, 'node_modules/.cache/berth-build');
  mkdirSync(folder, { recursive: true });
  const config = join(folder, `${item.name.replace('/', '-')}.json`);
  const compilerOptions = {
    noEmit: false,
    allowImportingTsExtensions: false,
    rewriteRelativeImportExtensions: true,
    customConditions: [],
    declaration: true,
    rootDir: join(item.folder, 'src'),
    outDir: join(item.folder, 'dist'),
  };
  const include = [join(item.folder, 'src/**/*.ts')];
  const exclude = item.name === '@berth/testkit' ? ['**/*.test.ts'] : testFiles;
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      include,
      exclude: exclude.map((glob) => join(item.folder, 'src', glob)),
    }),
  );
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', config], { stdio: 'inherit' });
}

/** Lays the packed packages out as an installation: ours from their tarballs, the rest as `npm ci` laid them. */
function installPacked(folder: string, packages: readonly WorkspacePackage[]): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@berth'), { recursive: true });
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry !== '@berth' && !entry.startsWith('.')) symlinkSync(join(root, 'node_modules', entry), join(modules, entry));
  }
  for (const item of packages) {
    const target = join(modules, item.name);
    mkdirSync(target);
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: item.folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [tarball = ''] = globSync(join(folder, `${item.name.replace('@', '').replace('/', '-')}-*.tgz`));
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  }
}

const packages = workspacePackages().filter((item) => globSync('src/*.ts', { cwd: item.folder }).length > 0);
for (const item of packages) {
  emit(item);
  console.log(`built ${item.name} ${item.version}`);
}
const folder = mkdtempSync(join(tmpdir(), 'berth-build-'));
try {
  installPacked(folder, packages);
  await smokeTest(join(folder, 'node_modules/@berth/server/dist/main.js'), join(folder, 'data'));
  console.log('the packed server starts, takes a blob and gives it back');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
