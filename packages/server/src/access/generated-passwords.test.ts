import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSecret } from './generated-passwords.ts';

test('no generated secret begins like an option of a command line', () => {
  // One of 64 would: that none of 5000 does by chance has odds of 1 to 10^34.
  const secrets = Array.from({ length: 5000 }, generateSecret);
  for (const secret of secrets) assert.match(secret, /^[A-Za-z0-9_][A-Za-z0-9_-]{42}$/);
  assert.equal(new Set(secrets).size, secrets.length);
});
