import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RegistryError } from '../errors/index.ts';
import { compileExpression, compileFilter, compileGlob } from './patterns.ts';

const refused = (message: RegExp) => (error: unknown) =>
  error instanceof RegistryError && error.error === 'INVALID_PARAMETER' && message.test(error.message);

test('attack 43: an expression is about the whole name', async () => {
  const matches = await compileExpression('v1|latest', 'filters');
  for (const name of ['v1', 'latest']) assert.ok(matches(name), name);
  for (const name of ['v10', 'xv1', 'latest-2', 'v1\n', '', 'not-latest']) assert.ok(!matches(name), name);
  const withAnchors = await compileExpression('^v.*$', 'filters');
  assert.ok(withAnchors('v1') && !withAnchors('rv1'));
});

test('attack 43: the work that a pattern makes is bounded by its length and that of the name', async () => {
  const names = ['a'.repeat(128), `${'a'.repeat(127)}!`, 'aA'.repeat(64)];
  for (const pattern of ['(a+)+$', '(a|aa)+$', '(a*)*b', '(.*.*.*.*.*)=', '([a-zA-Z]+)*$', '(?:a?){90}a{90}']) {
    const matches = await compileExpression(pattern, 'filters');
    const before = process.cpuUsage().user;
    for (let round = 0; round < 20; round += 1) for (const name of names) matches(name);
    // A backtracking engine would need longer than the age of the universe.
    assert.ok(process.cpuUsage().user - before < 5_000_000, pattern);
  }
  const glob = compileGlob(`${'*a'.repeat(255)}*`, 'tags');
  assert.equal(glob(`${'a'.repeat(254)}b`), false);
});

test('a pattern that is none, asks for backtracking, repeats too much or is too long is refused by name', async () => {
  const none = ['[', '(', 'a**', '(?=a)', '(?<!a)b', 'a\\1', 'x{1001}'];
  for (const pattern of none) {
    await assert.rejects(compileExpression(pattern, 'filters'), refused(/is no regular expression/), pattern);
    await assert.rejects(compileExpression(pattern, 'filters'), (error: Error) => error.message.includes(`"${pattern}"`));
  }
  await assert.rejects(compileExpression('x{1000}'.repeat(3), 'filters'), refused(/repeats too much/));
  await assert.rejects(compileExpression('a'.repeat(513), 'filters'), refused(/513 characters is too long/));
  assert.throws(() => compileGlob('a'.repeat(513), 'tags'), refused(/too long/));
  assert.throws(() => compileGlob('', 'tags'), refused(/is empty/));
});

test('a filter parts at the colon between repository and tag', async () => {
  const cases = [
    ['app:v1', 'app', 'v1'],
    ['.*:.*', 'any/thing', 'any'],
    ['team/(?:web|api):(?i:V)\\d+', 'team/api', 'v12'],
    ['a[[:digit:]]:[[:alpha:]]+', 'a1', 'abc'],
    ['a[:]?b:v', 'ab', 'v'],
    ['a:v[:.]1', 'a', 'v.1'],
    ['a\\:?:v', 'a', 'v'],
  ] as const;
  for (const [filter, repository, tag] of cases) {
    const { matchesRepository, matchesTag } = await compileFilter(filter);
    assert.ok(matchesRepository(repository) && matchesTag(tag), filter);
    assert.ok(!matchesRepository(`${repository}/x`) || filter.startsWith('.*'), filter);
  }
  for (const filter of ['app', '(?:app)', 'app[:]', ':v1', 'app:'])
    await assert.rejects(compileFilter(filter), refused(/pattern/), filter);
});

test('a glob means what its translation to an expression means', () => {
  const piece = fc.constantFrom('a', 'b', 'ab', '*', '**', '.', '/', '?', '[a]', '+');
  const word = (parts: fc.Arbitrary<string>) => fc.array(parts, { minLength: 1, maxLength: 8 }).map((all) => all.join(''));
  const name = word(fc.constantFrom('a', 'b', 'ab', '.', '/', '?', '[a]', '+', '*'));
  fc.assert(
    fc.property(word(piece), name, (glob, text) => {
      const pieces = glob.split('*').map((literal) => literal.replaceAll(/[.?+[\]/]/g, '\\$&'));
      assert.equal(compileGlob(glob, 'tags')(text), new RegExp(`^${pieces.join('.*')}$`, 's').test(text));
    }),
  );
});
