import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SigningKey } from '../platform/keys/index.ts';
import { type AddressGrant, SignedAddresses } from './signed-address.ts';

const keyOf = (id: string, isCurrent: boolean): SigningKey => ({
  id,
  privateKey: randomBytes(32),
  publicKey: '{}',
  isCurrent,
});
const older = keyOf('a', false);
const newer = keyOf('b', true);
const addresses = new SignedAddresses([older, newer]);
const grant: AddressGrant = { registryId: 1, path: '/berth/blobs/local.blob.berth/logs/ca1/rawtext.log', permission: 'r' };
const expiresAt = Date.parse('2030-01-31T12:00:00Z');

const queryOf = (options = {}): URLSearchParams => new URLSearchParams(addresses.sign(grant, { expiresAt, ...options }));

test('what was signed is valid until its time', () => {
  const query = queryOf({ identifier: 'only-the-holder-knows' });
  assert.deepEqual([...query.keys()], ['sv', 'sr', 'sp', 'se', 'si', 'sig']);
  assert.equal(query.get('se'), '2030-01-31T12:00:00Z');
  assert.equal(addresses.check(grant, query, expiresAt - 1), 'valid');
  assert.equal(addresses.check(grant, query, expiresAt), 'expired');
});

test('attack 23: a signature is for one registry, one path and one permission', () => {
  const others: readonly AddressGrant[] = [
    { ...grant, registryId: 2 },
    { ...grant, path: grant.path.replace('ca1', 'ca2') },
    { ...grant, permission: 'cw' },
  ];
  for (const other of others) assert.equal(addresses.check(other, queryOf(), expiresAt - 1), 'invalid', JSON.stringify(other));
});

test('no part of the query can be changed or left out', () => {
  const identifier = 'x';
  for (const name of queryOf({ identifier }).keys()) {
    const changed = queryOf({ identifier });
    changed.set(name, name === 'se' ? '2031-01-31T12:00:00Z' : 'cw');
    assert.equal(addresses.check(grant, changed, 0), 'invalid', name);
    const shorter = queryOf({ identifier });
    shorter.delete(name);
    assert.equal(addresses.check(grant, shorter, 0), 'invalid', name);
  }
  assert.equal(addresses.check(grant, new URLSearchParams(), 0), 'invalid');
});

test('an older signing key still checks, and a foreign one does not', () => {
  const before = new SignedAddresses([{ ...older, isCurrent: true }]);
  const query = new URLSearchParams(before.sign(grant, { expiresAt }));
  assert.equal(addresses.check(grant, query, 0), 'valid');
  assert.equal(new SignedAddresses([newer]).check(grant, query, 0), 'invalid');
});

test('property: no signature that somebody makes up is valid', () => {
  fc.assert(
    fc.property(fc.base64String({ maxLength: 64 }), fc.string({ maxLength: 30 }), (sig, se) => {
      const query = queryOf();
      query.set('sig', sig);
      const withTime = queryOf();
      withTime.set('se', se);
      assert.equal(addresses.check(grant, query, 0), 'invalid');
      assert.equal(addresses.check(grant, withTime, 0), 'invalid');
    }),
  );
});
