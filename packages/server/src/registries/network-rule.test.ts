import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireNetwork, requireNetworkRules } from './network-rule.ts';

test('addresses and networks of both families are taken as they are written, private ones too', () => {
  for (const value of [
    '203.0.113.7',
    '203.0.113.0/24',
    '203.0.113.9/24',
    '0.0.0.0/0',
    '10.0.0.0/8',
    '203.0.113.7/32',
    '2001:db8::/32',
    '2001:DB8::1',
    '::1/128',
    '::/0',
  ])
    assert.equal(requireNetwork(value, 'x'), value);
});

test('what is no network is refused by its place in the request', () => {
  for (const value of [
    '',
    'example.com',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.0/33',
    '203.0.113.0/-1',
    '203.0.113.0/',
    '203.0.113.0/024',
    '203.0.113.0/24/8',
    '203.0.113.0/255.255.255.0',
    ' 203.0.113.7',
    '203.0.113.7\n',
    '203.0.113.1-203.0.113.9',
    '0x7f.1',
    '2130706433',
    '2001:db8::/129',
    'fe80::1%eth0',
    '[::1]',
  ]) {
    const ipRules = [{ value: '203.0.113.7' }, { value: '::1' }, { value }];
    assert.throws(
      () => requireNetworkRules({ ipRules }),
      { error: 'INVALID_PARAMETER', target: 'properties.networkRuleSet.ipRules[2].value' },
      JSON.stringify(value),
    );
  }
  requireNetworkRules({});
});
