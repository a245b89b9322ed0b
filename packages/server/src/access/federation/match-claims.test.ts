import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CredentialRule, type TokenClaims, matchClaims } from './match-claims.ts';

const common = { iss: 'https://issuer.example', aud: 'registry', sub: 'job' };

function rule(claims: Readonly<Record<string, string>>, more: Partial<CredentialRule> = {}): CredentialRule {
  const names = { id: '1', name: 'ci', identityId: '2', identityName: 'pusher', clientId: '3' };
  return { ...names, audiences: ['registry'], claims, ...more };
}

function matches(claims: Readonly<Record<string, string>>, token: TokenClaims): boolean {
  return matchClaims([rule(claims)], { ...common, ...token }).rules.length === 1;
}

test('every claim of a rule must match: text, numbers, truths, any element of a list', () => {
  const token = { number: 42, truth: true, list: ['a', 'b', 3], nothing: null, object: { a: 'b' }, nested: [['deep']] };
  assert.ok(matches({ number: '42', truth: 'true', list: 'b' }, token));
  assert.ok(matches({ list: '3' }, token));
  assert.ok(!matches({ number: '42', truth: 'false' }, token));
  for (const name of ['nothing', 'object', 'missing', 'nested', 'toString', '__proto__', 'constructor'])
    assert.ok(!matches({ [name]: '*' }, token), name);
});

test('claims within claims are found by dots, or by slashes where names have dots', () => {
  const token = { 'kubernetes.io': { namespace: 'builds', 'service/account': { name: 'x' } }, a: { b: ['c'] }, 'd.e': 'whole' };
  assert.ok(matches({ '/kubernetes.io/namespace': 'builds', 'a.b': 'c', 'd.e': 'whole' }, token));
  assert.ok(matches({ '/kubernetes.io/service~1account/name': 'x' }, token));
  for (const name of ['kubernetes.io.namespace', '/kubernetes.io', 'a.b.0', 'a.b.length', '/a/__proto__', '/', 'a.'])
    assert.ok(!matches({ [name]: '*' }, token), name);
});

test('one of the audiences is enough, on both sides', () => {
  const claims = { sub: 'job' };
  const count = (audiences: readonly string[], aud: unknown): number =>
    matchClaims([rule(claims, { audiences })], { ...common, aud }).rules.length;
  assert.equal(count(['registry', 'other'], 'other'), 1);
  assert.equal(count(['registry'], ['x', 'registry']), 1);
  for (const aud of ['', [], null, undefined, { registry: 'registry' }, ['registr'], 'registry,x'])
    assert.equal(count(['registry'], aud), 0);
});

test('a refusal is short however many rules there are and however long the subject is', () => {
  const rules = Array.from({ length: 500 }, (_, index) => rule({ sub: 'other' }, { name: `rule-${index}` }));
  const { reason } = matchClaims(rules, { ...common, sub: 'x'.repeat(5000) });
  assert.ok(reason.length < 500);
  assert.match(reason, /sub of pusher\/rule-0, nor sub of pusher\/rule-1, nor sub of pusher\/rule-2, nor 497 more$/);
});
