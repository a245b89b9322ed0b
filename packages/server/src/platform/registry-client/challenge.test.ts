import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';
import { isTrustedRealm } from './realm.ts';

function read(header: string | undefined): unknown {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test('challenges are read as RFC 9110 writes them', () => {
  assert.deepEqual(read('Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'), [
    ['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io' }],
  ]);
  assert.deepEqual(read('Basic realm="a \\"b\\", c", charset=UTF-8, BEARER Realm = "x", , Negotiate'), [
    ['basic', { realm: 'a "b", c', charset: 'UTF-8' }],
    ['bearer', { realm: 'x' }],
    ['negotiate', {}],
  ]);
});

test('what is no challenge is none', () => {
  for (const header of [undefined, '', ' , ', '"', '=x', 'a="unfinished'])
    assert.ok(parseChallenges(header).length <= 1, String(header));
});

test('attack 29: realms that may see the credentials of a registry', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['https://r.example', 'https://r.example/token', true],
    ['https://r.example', 'https://r.example:8443/token', true],
    ['https://r.example', 'http://r.example/token', false],
    ['http://r.example', 'https://r.example/token', true],
    ['http://127.0.0.1:1', 'http://127.0.0.1:1/token', true],
    ['http://127.0.0.1:1', 'http://127.0.0.1:2/token', false],
    ['https://r.example', 'https://auth.r.example/token', false],
    ['https://r.example', 'https://r.example.evil/token', false],
    ['https://r.example', 'https://auth.docker.io/token', false],
    ['https://registry-1.docker.io', 'https://auth.docker.io/token', true],
    ['https://registry-1.docker.io', 'http://auth.docker.io/token', false],
    ['https://registry-1.docker.io', 'https://auth.docker.io:8443/token', false],
    ['https://constructor', 'https://auth.docker.io/token', false],
  ];
  for (const [registry, realm, isTrusted] of table)
    assert.equal(isTrustedRealm(new URL(registry), new URL(realm)), isTrusted, `${registry} ${realm}`);
});
