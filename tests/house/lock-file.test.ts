import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;

test('the lock file knows the optional packages of every platform', () => {
  // npm leaves out those that a registry did not have at that moment, and `npm ci` then refuses the file.
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, []);
});

test('the lock file names no registry', () => {
  const hosts = Object.values(packages).flatMap(({ resolved }) => (resolved?.startsWith('http') === true ? [resolved] : []));
  assert.deepEqual(hosts, []);
});
