import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, parseScope } from './scope.ts';

const segment = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const repository = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/);

function isWithin(text: string, name: string, tags: readonly string[] | 'all'): boolean {
  const scope = parseScope(text);
  assert.ok(scope !== undefined, text);
  return covers(scope, name, tags);
}

test('what scopes mean', () => {
  const table: readonly (readonly [string, string, readonly string[] | 'all', boolean])[] = [
    ['', 'any/thing', [], true],
    ['app', 'app', ['latest'], true],
    ['app', 'app', ['v1'], false],
    ['app', 'app', [], false],
    ['app', 'app', 'all', true],
    ['app:v1', 'app', ['v0', 'v1'], true],
    ['app:v1', 'app/a', ['v1'], false],
    ['app:*', 'app', [], true],
    ['app:*', 'apple', ['v1'], false],
    ['team/*', 'team/a/b', ['v1'], true],
    ['team/*', 'teams', ['v1'], false],
    ['team*', 'teams', [], true],
    ['team/*:v1', 'team/a', ['v1'], true],
    ['team/*:v1', 'team/a', ['v2'], false],
    ['*', 'any', [], true],
    ['*:v1', 'any', ['v1'], true],
  ];
  for (const [scope, name, tags, expected] of table) assert.equal(isWithin(scope, name, tags), expected, `${scope} ${name}`);
});

test('what is no scope', () => {
  for (const text of [':', ':v1', 'App', 'a:b:c', 'a*b', 'a**', '/a', 'a/', 'a//b', 'a:', 'a:.v', ' a', 'a\n', 'a:v*', 'é'])
    assert.equal(parseScope(text), undefined, JSON.stringify(text));
  assert.equal(parseScope('a'.repeat(513)), undefined);
});

test('a scope covers exactly what it names', () => {
  fc.assert(
    fc.property(repository, repository, tag, tag, (mine, other, one, another) => {
      assert.equal(isWithin(`${mine}:${one}`, other, [another]), mine === other && one === another);
      assert.equal(isWithin(`${mine}:*`, other, [another]), mine === other);
      assert.equal(isWithin(mine, other, [another]), mine === other && another === 'latest');
      assert.equal(isWithin(`${mine}/*`, other, [another]), other.startsWith(`${mine}/`));
      assert.equal(isWithin(`${mine}/*`, `${mine}/${other}`, []), true);
      assert.equal(isWithin('', other, [another]), true);
    }),
    { verbose: true },
  );
});

test('any text is judged, and in time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 600 }), (text) => {
      const scope = parseScope(text);
      if (scope !== undefined) covers(scope, text, [text]);
    }),
    { verbose: true },
  );
  const long = `${'a-'.repeat(255)}!`;
  const began = performance.now();
  for (let n = 0; n < 1000; n += 1)
    for (const text of [long, 'a'.repeat(512), `${'a/'.repeat(255)}*`, 'a.'.repeat(256)]) parseScope(text);
  assert.ok(performance.now() - began < 500);
});
