import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findBreaches } from './dependency-law.ts';
import { readImportGraph } from './import-graph.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

test('the packages keep the dependency law (architecture 3)', () => {
  const graph = readImportGraph(root);
  assert.ok(graph.size > 50, `only ${graph.size} files were found`);
  const breaches = findBreaches(graph);
  assert.equal(breaches.length, 0, `\n${breaches.join('\n')}`);
});

test('every import of a file leads to a file', () => {
  const missing = [...readImportGraph(root)].flatMap(([file, targets]) =>
    targets
      .filter((target) => target.startsWith('packages/') && !existsSync(join(root, target)))
      .map((target) => `${file} → ${target}`),
  );
  assert.deepEqual(missing, []);
});
