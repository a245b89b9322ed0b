import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue } from '../../packages/server/src/errors/index.ts';
import { operationGroups } from '../../tools/reference/operations.ts';
import { referencePages } from '../../tools/reference/pages.ts';

const folder = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'docs/reference');

for (const [name, text] of referencePages()) {
  test(`docs/reference/${name} says what the code says (npm run docs)`, () => {
    assert.equal(readFileSync(join(folder, name), 'utf8'), text);
  });
}

test('docs/reference holds nothing else', () => {
  assert.deepEqual(readdirSync(folder).toSorted(), [...referencePages().keys()].toSorted());
});

test('every error that an operation names is in the catalogue, and every id is unique', () => {
  const operations = operationGroups.flatMap((group) => group.operations);
  const unknown = operations.flatMap(({ id, errors }) =>
    errors.filter((error) => !(error in catalogue)).map((error) => `${id}: ${error}`),
  );
  assert.deepEqual(unknown, []);
  assert.equal(new Set(operations.map(({ id }) => id)).size, operations.length);
});
