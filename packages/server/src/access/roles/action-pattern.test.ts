import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileActionPattern } from './action-pattern.ts';

const pull = 'Microsoft.ContainerRegistry/registries/pull/read';

test('a pattern without a star is the action itself, in any case', () => {
  assert.ok(compileActionPattern(pull)(pull.toUpperCase()));
  for (const other of [
    '',
    'pull/read',
    `${pull}/more`,
    `x${pull}`,
    pull.slice(0, -1),
    'Microsoft.ContainerRegistry/registries/*',
  ])
    assert.equal(compileActionPattern(pull)(other), false, other);
});

test('a star stands for any run of characters, for none and for slashes too', () => {
  for (const pattern of [
    '*',
    '*/read',
    '**/read',
    'Microsoft.*',
    '*pull*',
    'microsoft.containerregistry/*/READ',
    `${pull}*`,
    '*p*l*l*',
  ])
    assert.ok(compileActionPattern(pattern)(pull), pattern);
  for (const pattern of ['*/write', 'Microsoft.Storage/*', `${pull}/*`, '*pull', 'pull*', '*/read/read', '*d/read*'])
    assert.equal(compileActionPattern(pattern)(pull), false, pattern);
});

test('the head and the tail of a pattern never share characters', () => {
  const matches = compileActionPattern('a/b*b/a');
  assert.equal(matches('a/b/a'), false);
  assert.ok(matches('a/bb/a'));
});

test('no character of a pattern means anything but the star', () => {
  assert.equal(compileActionPattern('a.c')('abc'), false);
  assert.ok(compileActionPattern('(a+)+$')('(A+)+$'));
});

test('attack 43: many stars take no more time than few', () => {
  const started = process.cpuUsage();
  assert.equal(compileActionPattern(`${'*a'.repeat(2000)}*b`)('a'.repeat(20_000)), false);
  const { user } = process.cpuUsage(started);
  assert.ok(user < 2_000_000, `${user} µs`);
});

const piece = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 });

test('property: it finds what a regular expression finds', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 5 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 }),
      (pieces, text) => {
        const expected = new RegExp(`^${pieces.join('.*')}$`).test(text);
        assert.equal(compileActionPattern(pieces.join('*'))(text), expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test('property: what is put in for the stars fits', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, piece), { minLength: 1, maxLength: 5 }), (pairs) => {
      const matches = compileActionPattern(pairs.map(([fixed]) => fixed).join('*'));
      const text = pairs.map(([fixed, free], index) => (index === pairs.length - 1 ? fixed : fixed + free)).join('');
      assert.ok(matches(text));
    }),
  );
});
