import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestRegion, parseRegionNetworks } from './nearest-region.ts';

const networks = parseRegionNetworks(['west=10.0.0.0/8', 'north=10.1.0.0/16', 'east=2001:db8::/32', 'west=10.1.2.3']);
const all = ['east', 'west', 'north'];

for (const { address, healthy = all, expected, why } of [
  { address: '10.9.0.1', expected: 'west', why: 'the network that holds the address' },
  { address: '10.1.0.1', expected: 'north', why: 'of two networks the smaller one' },
  { address: '10.1.2.3', expected: 'west', why: 'a single address before networks' },
  { address: '2001:db8::1', expected: 'east', why: 'an address of the other family' },
  { address: '192.0.2.1', expected: 'east', why: 'in no network: where it came to' },
  { address: 'nonsense', expected: 'east', why: 'no address: where it came to' },
  { address: '10.1.0.1', healthy: ['east', 'west'], expected: 'west', why: 'the nearest is down: the next network' },
  { address: '10.9.0.1', healthy: ['east', 'north'], expected: 'east', why: 'it is down: where it came to' },
  { address: '10.9.0.1', healthy: ['north'], expected: 'north', why: 'nothing else is left' },
  { address: '10.9.0.1', healthy: [], expected: undefined, why: 'nothing is left' },
] satisfies readonly {
  readonly address: string;
  readonly healthy?: readonly string[];
  readonly expected: string | undefined;
  readonly why: string;
}[]) {
  test(`${address}: ${why}`, () => {
    const nearest = nearestRegion({ networks, clientAddress: address, here: 'east', home: 'west', healthy: new Set(healthy) });
    assert.equal(nearest, expected);
  });
}
