import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSize } from './container-sizes.ts';

for (const [text, bytes] of [
  ['0B (virtual 4.2MB)', 0],
  ['12.3kB (virtual 4.2MB)', 12_300],
  ['1.05GB (virtual 2.1GB)', 1_050_000_000],
  ['7MB', 7_000_000],
  ['', 0],
] as const)
  test(`a container of ${text || 'no size'} has written ${bytes} bytes`, () => assert.equal(Math.round(parseSize(text)), bytes));
