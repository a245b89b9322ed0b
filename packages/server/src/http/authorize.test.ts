import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Need, type Permission, acr, audit, cleanup, distribution, health, identities, upkeep, usage } from '@berth/api';
import type { Principal } from '../tenancy/index.ts';
import { type Question, decide, mountNeeds, needsOf } from './authorize.ts';
import { testRegistry } from '../tenancy/test-registry.ts';

const registry = testRegistry({ loginServer: 'localhost' });

function principal(kind: Principal['kind'], permits: (need: Need) => boolean, couldPermit = permits): Principal {
  return { kind, id: kind, name: kind, permits, couldPermit };
}

const all = principal('admin', () => true);
const none = principal('admin', () => false);
const anonymous = principal('anonymous', () => false);

function ask(operation: Question['operation'], who: Principal, more: Partial<Question> = {}): string {
  const needs = needsOf(operation, { name: 'a/b' });
  return decide({ operation, needs, insteadNeeds: [], sourceNeeds: [], principal: who, registry, scheme: 'basic', ...more });
}

test('attack 14: every operation asks for what it declares, and for nothing less', () => {
  const operations = [
    ...Object.values(distribution),
    ...Object.values(acr),
    ...Object.values(audit),
    ...Object.values(upkeep),
    ...Object.values(usage),
    ...Object.values(cleanup),
    ...Object.values(identities),
    ...Object.values(health),
  ];
  for (const operation of operations) {
    const { kind }: Permission = operation.permission;
    assert.equal(ask(operation, all), 'permitted', operation.id);
    assert.equal(
      ask(operation, anonymous, { scheme: undefined }),
      kind === 'public' ? 'permitted' : 'unauthorized',
      operation.id,
    );
    if (kind === 'repository' || kind === 'catalog' || kind === 'operator' || kind === 'deployment') {
      for (const missing of needsOf(operation, { name: 'a/b' })) {
        const allBut = principal('admin', (need) => JSON.stringify(need) !== JSON.stringify(missing));
        assert.notEqual(ask(operation, allBut), 'permitted', `${operation.id} without ${JSON.stringify(missing)}`);
      }
    }
  }
});

test('who lacks a right in a token is told to get another, who lacks it altogether is denied', () => {
  assert.equal(ask(distribution.putManifest, none, { scheme: 'bearer' }), 'unauthorized');
  assert.equal(ask(distribution.putManifest, none, { scheme: 'basic' }), 'denied');
  assert.equal(ask(upkeep.rotateKeys, none, { scheme: 'bearer' }), 'denied');
  assert.equal(ask(upkeep.rotateKeys, anonymous, { scheme: undefined }), 'unauthorized');
});

test('the ping is 401 without credentials even where anybody may pull', () => {
  const open = { ...registry, isAnonymousPullEnabled: true };
  assert.equal(ask(distribution.checkApi, anonymous, { registry: open, scheme: undefined }), 'unauthorized');
  assert.equal(ask(distribution.checkApi, anonymous, { registry: open, scheme: 'bearer' }), 'permitted');
  assert.equal(ask(distribution.checkApi, anonymous, { scheme: 'bearer' }), 'unauthorized');
});

test('attack 15: a mount asks for its source too, when a better token would help, and is an upload otherwise', () => {
  const query = new URLSearchParams('mount=sha256:aa&from=other/source');
  const sourceNeeds = mountNeeds(distribution.startUpload, query);
  assert.deepEqual(sourceNeeds, [{ type: 'repository', name: 'other/source', action: 'pull' }]);
  const ofTarget = (need: Need): boolean => need.type === 'repository' && need.name === 'a/b';
  const narrow = principal('admin', ofTarget, () => true);
  const poor = principal('admin', ofTarget);
  assert.equal(ask(distribution.startUpload, narrow, { sourceNeeds, scheme: 'bearer' }), 'unauthorized');
  assert.equal(ask(distribution.startUpload, poor, { sourceNeeds, scheme: 'bearer' }), 'permitted');
  assert.deepEqual(mountNeeds(distribution.startUpload, new URLSearchParams('from=other')), []);
  assert.deepEqual(mountNeeds(distribution.startUpload, new URLSearchParams('mount=x&from=NOT"A,NAME')), []);
  assert.deepEqual(mountNeeds(distribution.getManifest, query), []);
});
