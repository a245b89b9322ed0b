import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, access, acr, distribution, health, upkeep } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { NetworkRules } from '../tenancy/index.ts';
import { testRegistry } from '../tenancy/test-registry.ts';
import { NetworkGate } from './network-rules.ts';
import type { Route } from './route.ts';
import { operationOf, startTestServer } from './test-server.ts';

const loopback = ['127.0.0.0/8', '::1'];
const closed: NetworkRules = { isPublicAccessEnabled: true, defaultAction: 'Deny', allowed: [] };

function passes(
  address: string,
  network: NetworkRules,
  how: { readonly privateNetworks?: readonly string[]; readonly operation?: Operation } = {},
): boolean {
  const { privateNetworks = loopback, operation = distribution.checkApi } = how;
  try {
    new NetworkGate(privateNetworks).requirePassage(operation, testRegistry({ network }), address);
    return true;
  } catch (error) {
    assert.ok(error instanceof RegistryError && error.error === 'DENIED');
    assert.equal(error.message, `client with IP '${address}' is not allowed access, refer to the firewall rules of the registry`);
    return false;
  }
}

test('rules let addresses and networks pass, IPv4 and IPv6, and nothing beside them', () => {
  const network = { ...closed, allowed: ['203.0.113.0/25', '198.51.100.9', '192.0.2.77/30', '2001:db8:1::/48', '2001:db8:2::5'] };
  const allowed = [
    '203.0.113.0',
    '203.0.113.127',
    '198.51.100.9',
    '192.0.2.76',
    '192.0.2.79',
    '2001:db8:1:ffff::1',
    '2001:db8:2::5',
  ];
  for (const address of [...allowed, '::ffff:203.0.113.7', '::ffff:cb00:7107', '127.0.0.1', '::1'])
    assert.ok(passes(address, network), address);
  for (const address of ['203.0.113.128', '198.51.100.8', '192.0.2.80', '2001:db8:2::6', 'fe80::1%eth0', '10.0.0.1', ''])
    assert.equal(passes(address, network), false, address);
  assert.ok(passes('203.0.113.200', { ...network, defaultAction: 'Allow' }), 'without Deny the rules do nothing');
});

test('with public access off only private networks pass, whatever the rules say', () => {
  const network: NetworkRules = { isPublicAccessEnabled: false, defaultAction: 'Allow', allowed: ['0.0.0.0/0'] };
  assert.equal(passes('203.0.113.7', network), false);
  assert.ok(passes('127.0.0.1', network));
  assert.ok(passes('10.1.2.3', network, { privateNetworks: ['10.0.0.0/8'] }));
  assert.equal(passes('127.0.0.1', network, { privateNetworks: ['10.0.0.0/8'] }), false, 'the setting replaces its default');
  assert.equal(passes('127.0.0.1', network, { privateNetworks: [] }), false);
});

test('private networks pass where the default is to deny', () => {
  assert.ok(passes('10.1.2.3', closed, { privateNetworks: ['10.0.0.0/8'] }));
  assert.equal(passes('10.1.2.3', closed), false);
});

test('a rule that cannot be read lets nobody in, and the others count', () => {
  const network = { ...closed, allowed: ['nonsense', '203.0.113.0/99', '203.0.113.7/32'] };
  assert.ok(passes('203.0.113.7', network));
  assert.equal(passes('203.0.113.8', network), false);
});

test('every operation of the registry is behind the rules; the resource manager and health checks are not', () => {
  const guarded: readonly Operation[] = [distribution, acr, access, upkeep].flatMap((group) => Object.values(group));
  for (const operation of guarded) assert.equal(passes('192.0.2.1', closed, { operation }), false, operation.id);
  const free: readonly Operation[] = [
    ...Object.values(health),
    operationOf('GET', '/subscriptions', { permission: { kind: 'management' } }),
    operationOf('PATCH', '/subscriptions/{id}', { permission: { kind: 'resource', action: 'x/write' } }),
    operationOf('POST', '/{tenant}/oauth2/v2.0/token'),
  ];
  for (const operation of free) assert.ok(passes('192.0.2.1', closed, { operation }), operation.path);
});

const routes: readonly Route[] = [
  { operation: operationOf('GET', '/v2/', { permission: { kind: 'authenticated' } }), handle: async () => ({ status: 200 }) },
  { operation: operationOf('GET', '/oauth2/token'), handle: async () => ({ status: 200 }) },
  {
    operation: operationOf('DELETE', '/v2/{name}', { permission: { kind: 'catalog' } }),
    handle: async () => ({ status: 202 }),
  },
];
const only = (...allowed: readonly string[]) => testRegistry({ network: { ...closed, allowed } });

test('a client that may not come is told its address, before the challenge and whatever it asks', async (t) => {
  const { url, records } = await startTestServer(t, routes, { resolveRegistry: () => only('203.0.113.0/24') });
  for (const [method, path, authorization] of [
    ['GET', '/v2/', undefined],
    ['GET', '/v2/', 'Bearer good'],
    ['GET', '/v2/', 'Bearer bad'],
    ['GET', '/oauth2/token', undefined],
    ['DELETE', '/v2/NOT-A-NAME', undefined],
  ] as const) {
    const answer = await fetch(url + path, { method, headers: authorization === undefined ? {} : { authorization } });
    assert.equal(answer.status, 403, `${method} ${path}`);
    assert.equal(answer.headers.get('www-authenticate'), null);
    assert.equal(answer.headers.get('x-ms-correlation-request-id'), records.at(-1)?.requestId);
    assert.deepEqual(await answer.json(), {
      errors: [
        {
          code: 'DENIED',
          message: "client with IP '127.0.0.1' is not allowed access, refer to the firewall rules of the registry",
        },
      ],
    });
  }
});

test('attack 12, 47: an address in a header counts only from a trusted proxy', async (t) => {
  const headers = {
    authorization: 'Bearer good',
    'x-forwarded-for': '203.0.113.7',
    forwarded: 'for=203.0.113.7',
    'x-real-ip': '203.0.113.7',
  };
  const resolveRegistry = () => only('203.0.113.0/24');
  const direct = await startTestServer(t, routes, { resolveRegistry });
  assert.equal((await fetch(`${direct.url}/v2/`, { headers })).status, 403);
  const proxied = await startTestServer(t, routes, { resolveRegistry, trustedProxies: ['127.0.0.1'] });
  assert.equal((await fetch(`${proxied.url}/v2/`, { headers })).status, 200);
  const outside = { ...headers, 'x-forwarded-for': '203.0.113.7, 198.51.100.1' };
  assert.equal((await fetch(`${proxied.url}/v2/`, { headers: outside })).status, 403);
});

test('changed rules count at once', async (t) => {
  let registry = only();
  const { url } = await startTestServer(t, routes, { resolveRegistry: () => registry });
  const ask = async (): Promise<number> => (await fetch(`${url}/v2/`, { headers: { authorization: 'Bearer good' } })).status;
  assert.equal(await ask(), 403);
  registry = only('127.0.0.1');
  assert.equal(await ask(), 200);
  registry = only('127.0.0.2');
  assert.equal(await ask(), 403);
});
