import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesGlobs, someMatchGlobs } from './match-globs.ts';

const cases: readonly (readonly [globs: string, name: string, isMatch: boolean])[] = [
  ['main', 'main', true],
  ['main', 'main2', false],
  ['release/*', 'release/1.0', true],
  ['release/*', 'release/1.0/fix', false],
  ['release/**', 'release/1.0/fix', true],
  ['**', 'any/thing', true],
  ['**/*.ts', 'a.ts', true],
  ['**/*.ts', 'src/deep/a.ts', true],
  ['**/b', 'xb', false],
  ['src/**/test/*.ts', 'src/test/a.ts', true],
  ['src/**/test/*.ts', 'src/a/b/test/a.ts', true],
  ['src/**/test/*.ts', 'src/a/btest/a.ts', false],
  ['docs/', 'docs/a/b.md', true],
  ['docs/', 'docs', false],
  ['v?.*', 'v1.2', true],
  ['v?.*', 'v12.2', false],
  ['** !docs/', 'docs/a.md', false],
  ['** !docs/ docs/build.md', 'docs/build.md', true],
  ['!docs/', 'src/a.ts', true],
  ['!docs/', 'docs/a.md', false],
  ['(a+)+', 'aaa', false],
  ['ä?', 'ä😀', true],
];

for (const [globs, name, isMatch] of cases) {
  test(`${globs} ${isMatch ? 'matches' : 'does not match'} ${name}`, () => {
    assert.equal(matchesGlobs(globs.split(' '), name), isMatch);
  });
}

test('globs match what the expression that they mean matches', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 });
  const glob = fc
    .array(fc.constantFrom('a', 'b', '/', '*', '?', '**', '**/', 'a/'), { maxLength: 6 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(glob, text, (pattern, name) => {
      const whole = pattern.endsWith('/') ? `${pattern}**` : pattern;
      const source = whole.replaceAll(/\*\*+\/|\*\*+|\*|\?/g, (part) => {
        if (part === '*') return '[^/]*';
        if (part === '?') return '[^/]';
        return part.endsWith('/') ? '(?:.*/)?' : '.*';
      });
      assert.equal(matchesGlobs([pattern], name), new RegExp(`^${source}$`, 's').test(name), pattern);
    }),
    { numRuns: 2000 },
  );
});

test('attack 43: a glob that would make an expression climb costs nothing', () => {
  const began = performance.now();
  assert.equal(matchesGlobs([`${'*a'.repeat(60)}b`], 'a'.repeat(4000)), false);
  assert.ok(performance.now() - began < 2000);
  assert.equal(someMatchGlobs(['*'.repeat(256)], ['a'.repeat(200_000)]), undefined, 'too much to look at');
});
