import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need } from '@berth/api';
import { challenge } from './challenge.ts';
import { testRegistry } from '../tenancy/test-registry.ts';

const registry = testRegistry({ loginServer: 'local.example:5000' });
const origin = 'https://local.example:5000';
const need = (name: string, action: 'pull' | 'push'): Need => ({ type: 'repository', name, action });

test('the text of a challenge is exact: quoted, and without spaces between the parameters', () => {
  const head = 'Bearer realm="https://local.example:5000/oauth2/token",service="local.example:5000"';
  assert.equal(challenge(registry, origin, []), head);
  assert.equal(challenge(registry, origin, [{ type: 'operator' }]), head);
  assert.equal(
    challenge(registry, origin, [{ type: 'registry', name: 'catalog', action: '*' }]),
    `${head},scope="registry:catalog:*"`,
  );
  assert.equal(
    challenge(registry, origin, [need('a', 'pull'), need('a', 'push'), need('b', 'pull')], 'insufficient_scope'),
    `${head},scope="repository:a:pull,push repository:b:pull",error="insufficient_scope"`,
  );
  assert.equal(challenge(registry, origin, [], 'invalid_token'), `${head},error="invalid_token"`);
});
