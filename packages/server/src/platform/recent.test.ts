import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from './recent.ts';

test('the least recently used goes first', () => {
  const recent = new Recent<number>({ maxEntries: 2 });
  recent.set('a', 1);
  recent.set('b', 2);
  assert.equal(recent.get('a'), 1);
  recent.set('c', 3);
  assert.deepEqual([recent.get('a'), recent.get('b'), recent.get('c')], [1, undefined, 3]);
  assert.equal(recent.size, 2);
});

test('entries are bounded by weight, too, and one that alone is too heavy is not kept', () => {
  const recent = new Recent<string>({ maxEntries: 10, maxWeight: 100 });
  for (const key of ['a', 'b', 'c']) recent.set(key, key, 40);
  assert.deepEqual([recent.get('a'), recent.get('b'), recent.get('c')], [undefined, 'b', 'c']);
  recent.set('huge', 'huge', 101);
  assert.equal(recent.size, 0);
  recent.set('a', 'a', 90);
  recent.set('a', 'again', 50);
  recent.set('b', 'b', 50);
  assert.deepEqual([recent.get('a'), recent.get('b')], ['again', 'b']);
  recent.delete('a');
  recent.delete('nothing');
  assert.equal(recent.size, 1);
});
