import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesPattern, missingNarrowClaim } from './claim-pattern.ts';

test('a pattern speaks of the whole value', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['main', 'main', true],
    ['main', 'Main', false],
    ['main', 'mai', false],
    ['main', 'ain', false],
    ['', '*', true],
    ['', '', true],
    ['repo:acme/app:ref:refs/heads/main', 'repo:acme/*:ref:refs/heads/main', true],
    ['repo:acme/app:ref:refs/heads/main2', 'repo:acme/*:ref:refs/heads/main', false],
    ['aba', 'ab*ba', false],
    ['abab', 'ab*ab', true],
    ['a.c', 'a?c', false],
    ['axbxc', 'a*b*c', true],
    ['acb', 'a*b*c', false],
    ['a**b', 'a*b', true],
    ['ab', '**a**b**', true],
    ['line\nline', 'line*line', true],
  ];
  for (const [value, pattern, expected] of cases) assert.equal(matchesPattern(value, pattern), expected, `${value} ${pattern}`);
});

test('a pattern means what the regular expression of it means', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, (value, pattern) => {
      const expression = new RegExp(`^${pattern.split('*').join('.*')}$`, 's');
      assert.equal(matchesPattern(value, pattern), expression.test(value));
    }),
  );
});

test('a pattern with many stars ends soon', () => {
  assert.equal(matchesPattern('a'.repeat(16_000), `${'*a'.repeat(250)}*b`), false);
});

test('of an issuer that signs for everybody, some claim must say whose tokens are meant', () => {
  const github = 'https://token.actions.githubusercontent.com';
  const cases: readonly (readonly [string, Record<string, string>, boolean])[] = [
    [github, { sub: '*' }, false],
    [github, { sub: 'repo:*' }, false],
    [github, { sub: 'repo:acme*' }, false],
    [github, { sub: '*acme/app*' }, false],
    [github, { sub: 'repo:*/app:*' }, false],
    [github, { sub: 'repo:acme/*' }, true],
    [github, { sub: 'repo:acme/app:ref:refs/heads/main' }, true],
    [github, { ref: 'refs/heads/main' }, false],
    [github, { ref: 'refs/heads/main', repository_owner: 'acme' }, true],
    [github, { repository: 'acme/*' }, true],
    [github, { repository: 'acme*' }, false],
    [`${github}/enterprise`, { sub: '*' }, false],
    ['https://gitlab.com', { sub: 'project_path:*' }, false],
    ['https://gitlab.com', { sub: 'project_path:acme/*' }, true],
    ['https://gitlab.com', { project_id: '42' }, true],
    ['https://gitlab.com', { ref: 'main' }, false],
    ['https://login.microsoftonline.com/tenant/v2.0', { sub: '*' }, false],
    ['https://login.microsoftonline.com/tenant/v2.0', { tid: 'tenant' }, false],
    ['https://login.microsoftonline.com/tenant/v2.0', { oid: 'object' }, true],
    ['https://vstoken.dev.azure.com/organization', { sub: 'sc://acme/project/connection' }, true],
    ['https://vstoken.dev.azure.com/organization', { sub: 'sc://*' }, false],
    ['https://gitlab.acme.example', { sub: '*' }, true],
    ['kubernetes/serviceaccount', { sub: '*' }, true],
  ];
  for (const [issuer, claims, expected] of cases)
    assert.equal(missingNarrowClaim(issuer, claims) === undefined, expected, `${issuer} ${JSON.stringify(claims)}`);
});
