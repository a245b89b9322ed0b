import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRole, roleDefinitions } from './role-definitions.ts';

test('a role is found by its id and by its name, in any case', () => {
  const pull = findRole('7f951dda-4ed3-4680-a7ca-43fe172d538d');
  assert.equal(pull?.name, 'AcrPull');
  assert.deepEqual(pull.actions, ['Microsoft.ContainerRegistry/registries/pull/read']);
  for (const spelled of ['acrpull', 'ACRPULL', '7F951DDA-4ED3-4680-A7CA-43FE172D538D']) assert.equal(findRole(spelled), pull);
  for (const none of ['', 'AcrPul', 'AcrPull ', '7f951dda', 'constructor', '__proto__'])
    assert.equal(findRole(none), undefined, none);
});

test('every role has an id and a name of its own, and actions in full', () => {
  assert.equal(new Set(roleDefinitions.map(({ id }) => id)).size, roleDefinitions.length);
  assert.equal(new Set(roleDefinitions.map(({ name }) => name.toLowerCase())).size, roleDefinitions.length);
  for (const { id, actions, notActions, dataActions, notDataActions } of roleDefinitions) {
    assert.match(id, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    for (const action of [...actions, ...notActions, ...dataActions, ...notDataActions])
      assert.match(action, /^(?:\*|\*\/read|Microsoft\.[A-Za-z]+\/[A-Za-z/.*]+)$/, action);
    for (const action of dataActions)
      assert.match(action, /^Microsoft\.ContainerRegistry\/registries\/[a-z]+\/[a-z/]+$/i, 'no wildcard reaches content');
  }
});
