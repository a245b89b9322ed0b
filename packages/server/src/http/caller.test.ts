import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { type CallerRules, callerOf, proxyList } from './caller.ts';

const direct: CallerRules = { isTls: false, publicAddress: undefined, trustedProxies: undefined };
const proxied: CallerRules = { ...direct, trustedProxies: proxyList(['10.0.0.0/8', '::1']) };

function requestFrom(remoteAddress: string, headers: IncomingHttpHeaders): IncomingMessage {
  // As much of a request as is looked at.
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

test('the origin is the host that the client named', () => {
  assert.deepEqual(callerOf(requestFrom('192.0.2.1', { host: 'registry.example:5000' }), direct), {
    address: '192.0.2.1',
    host: 'registry.example:5000',
    origin: 'http://registry.example:5000',
  });
  assert.equal(
    callerOf(requestFrom('192.0.2.1', { host: '[::1]:5000' }), { ...direct, isTls: true }).origin,
    'https://[::1]:5000',
  );
  assert.equal(callerOf(requestFrom('::ffff:192.0.2.1', { host: 'a' }), direct).address, '192.0.2.1');
});

test('attack 12: a Host that is no host is refused before it gets into a Location or a realm', () => {
  for (const host of [
    undefined,
    '',
    'a b',
    'a"b',
    'a/b',
    'user@host',
    'host:port',
    'a\\b',
    "a'b",
    'host,evil',
    '-a',
    'a:1:2',
    '[::1',
    'a'.repeat(300),
    'h%6fst',
    'a;b',
  ]) {
    assert.throws(() => callerOf(requestFrom('192.0.2.1', { host }), direct), { error: 'REQUEST_INVALID' }, String(host));
  }
});

test('attack 12: X-Forwarded headers count only when a trusted proxy sends them', () => {
  const headers = {
    host: 'inner:5000',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.7',
  };
  assert.deepEqual(callerOf(requestFrom('192.0.2.1', headers), direct), {
    address: '192.0.2.1',
    host: 'inner:5000',
    origin: 'http://inner:5000',
  });
  assert.deepEqual(callerOf(requestFrom('192.0.2.1', headers), proxied), {
    address: '192.0.2.1',
    host: 'inner:5000',
    origin: 'http://inner:5000',
  });
  assert.deepEqual(callerOf(requestFrom('::ffff:10.1.2.3', headers), proxied), {
    address: '203.0.113.7',
    host: 'evil.example',
    origin: 'https://evil.example',
  });
});

test('attack 47: of a chain of addresses the last one that no trusted proxy wrote counts', () => {
  const address = (forwarded: string): string =>
    callerOf(requestFrom('10.0.0.1', { host: 'a', 'x-forwarded-for': forwarded }), proxied).address;
  assert.equal(address('1.1.1.1, 203.0.113.7, 10.0.0.2'), '203.0.113.7');
  assert.equal(address('203.0.113.7'), '203.0.113.7');
  assert.equal(address('nonsense'), '10.0.0.1');
  assert.equal(address('nonsense, 203.0.113.7'), '203.0.113.7');
  assert.equal(address('10.0.0.3, 10.0.0.2'), '10.0.0.3');
});

test('a configured address is shown whatever the request says', () => {
  const origin = (publicAddress: string): string =>
    callerOf(requestFrom('192.0.2.1', { host: 'evil.example' }), { ...direct, publicAddress }).origin;
  assert.equal(origin('registry.example'), 'http://registry.example');
  assert.equal(origin('https://registry.example'), 'https://registry.example');
});

test('a proxy that is neither an address nor a network is named', () => {
  assert.throws(() => proxyList(['10.0.0.0/99']), /10\.0\.0\.0\/99/);
  assert.throws(() => proxyList(['proxy.example']), /proxy\.example/);
});

test('the registries beside the default one keep their own names under the public address (attack 12)', () => {
  const originOf = (host: string, publicAddress: string): string =>
    callerOf(requestFrom('192.0.2.1', { host }), { ...direct, publicAddress }).origin;
  assert.equal(originOf('team1.registry.example', 'https://registry.example'), 'https://team1.registry.example');
  assert.equal(originOf('Team1.Registry.Example:8443', 'registry.example:8443'), 'http://Team1.Registry.Example:8443');
  for (const host of [
    'a.b.registry.example',
    'team1.registry.example:1',
    'team1registry.example',
    'team1.evil.example',
    '10.0.0.1',
  ])
    assert.equal(originOf(host, 'https://registry.example'), 'https://registry.example', host);
});
