import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need } from '@berth/api';
import fc from 'fast-check';
import { type Access, covers, parseScopes, repositoryActions, scopeText } from './scope.ts';

const pull = (name: string): Access => ({ type: 'repository', name, actions: ['pull'] });
const need = (name: string, action: 'pull' | 'push' | 'delete' = 'pull'): Need => ({ type: 'repository', name, action });

test('scopes come repeated, several in one text, or both', () => {
  assert.deepEqual(parseScopes(['repository:a:pull', 'repository:b/c:pull repository:d:pull']), ['a', 'b/c', 'd'].map(pull));
  assert.deepEqual(parseScopes(['']), []);
  assert.deepEqual(parseScopes([]), []);
});

test('a resource that is named twice has the actions of both', () => {
  assert.deepEqual(parseScopes(['repository:a:push', 'repository:a:pull,push repository:b:pull']), [
    { type: 'repository', name: 'a', actions: ['push', 'pull'] },
    pull('b'),
  ]);
});

test('what acr and docker ask for is understood', () => {
  const asked = [
    'registry:catalog:*',
    'repository:*:*',
    'repository:a:metadata_write,metadata_read',
    'repository(plugin):p:pull,push',
    'repository:b:deleted_read,deleted_restore',
  ];
  assert.deepEqual(
    parseScopes([asked.join(' ')]).map(({ type, name, actions }) => [type, name, ...actions]),
    [
      ['registry', 'catalog', '*'],
      ['repository', '*', '*'],
      ['repository', 'a', 'metadata_read', 'metadata_write'],
      ['repository', 'p', 'pull', 'push'],
      ['repository', 'b', 'deleted_read', 'deleted_restore'],
    ],
  );
});

test('attack 13: what is no scope asks for nothing', () => {
  const bad = [
    'repository:x:pull:push',
    'repository:X:pull',
    'repository:a/:pull',
    'repository:/a:pull',
    'repository:a//b:pull',
    'repository:a..b/../c:pull',
    'repository:host:5000/a:pull',
    'repository::pull',
    'repository:a:',
    'repository:a:,,',
    'repository:a:PULL',
    'repository:a:fly',
    'repository:a',
    'repository',
    ':',
    '::',
    ':::',
    'Repository:a:pull',
    'repositories:a:pull',
    'registry:catalog:pull',
    'registry:catalog',
    'registry:other:*',
    'artifact-repository:a:pull',
    'repository:%61:pull',
    'repository:a\t:pull',
    'repository:a,b:pull',
    `repository:${'a'.repeat(256)}:pull`,
    'repository:__proto__:pull',
    'operator::*',
  ];
  for (const scope of bad) assert.deepEqual(parseScopes([scope]), [], scope);
  assert.deepEqual(parseScopes([bad.join(' '), 'repository:good:pull']), [pull('good')], 'the others still count');
});

test('attack 13: scopes are bounded in number and length', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `repository:r${index}:pull`);
  assert.equal(parseScopes([many.join(' ')]).length, 100);
  assert.equal(parseScopes(many).length, 100);
  assert.deepEqual(parseScopes([`repository:a:${'pull,'.repeat(100_000)}pull`]), []);
});

test('attack 13: names are compared whole', () => {
  const access = parseScopes(['repository:team/a:pull']);
  assert.ok(covers(access, need('team/a')));
  for (const other of ['team/a2', 'team/a/', 'team/A', 'team', 'team/', 'a', 'team/a/b', 'x/team/a', 'team/*', '*', ''])
    assert.equal(covers(access, need(other)), false, other);
  assert.equal(covers(access, need('team/a', 'push')), false);
  assert.equal(covers(access, { type: 'registry', name: 'catalog', action: '*' }), false);
});

test('a wildcard covers every repository, but neither the catalog nor the operator', () => {
  const access = parseScopes(['repository:*:*']);
  for (const action of repositoryActions) assert.ok(covers(access, { type: 'repository', name: 'any/thing', action }));
  assert.equal(covers(access, { type: 'registry', name: 'catalog', action: '*' }), false);
  assert.equal(covers(access, { type: 'operator' }), false);
  assert.ok(covers(parseScopes(['registry:catalog:*']), { type: 'registry', name: 'catalog', action: '*' }));
});

test('a challenge names each repository once, in one text', () => {
  assert.equal(scopeText([]), undefined);
  assert.equal(scopeText([{ type: 'operator' }]), undefined);
  assert.equal(scopeText([need('a'), need('a', 'push'), need('b')]), 'repository:a:pull,push repository:b:pull');
});

const component = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const actions = fc.uniqueArray(fc.constantFrom(...repositoryActions), { minLength: 1 });
const access = fc.uniqueArray(fc.record({ type: fc.constant('repository'), name, actions }), {
  maxLength: 10,
  selector: (each) => each.name,
});

test('property: what a challenge asks for is understood, and covers exactly that', () => {
  fc.assert(
    fc.property(access, name, fc.constantFrom(...repositoryActions), (wanted, other, action) => {
      const needs = wanted.flatMap((each) =>
        each.actions.map((one): Need => ({ type: 'repository', name: each.name, action: one })),
      );
      const parsed = parseScopes([scopeText(needs) ?? '']);
      assert.ok(needs.every((each) => covers(parsed, each)));
      const isAsked = needs.some((each) => each.type === 'repository' && each.name === other && each.action === action);
      assert.equal(covers(parsed, { type: 'repository', name: other, action }), isAsked);
    }),
  );
});

test('property: no text makes the parser fail, and what it finds is well formed', () => {
  const noise = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.constantFrom('repository', 'registry', ':', ',', '*', 'pull', 'a', '/', ' ', '..', '%2f', '\0'), {
        maxLength: 40,
      })
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 5 }), (texts) => {
      for (const { type, name: found, actions: granted } of parseScopes(texts)) {
        assert.match(`${type}:${found}`, /^(?:registry:catalog|repository:(?:\*|[a-z0-9]+(?:(?:\.|_|__|-+|\/)[a-z0-9]+)*))$/);
        assert.ok(granted.length > 0);
        assert.ok(granted.every((action) => action === '*' || repositoryActions.some((each) => each === action)));
      }
    }),
    { numRuns: 500 },
  );
});
