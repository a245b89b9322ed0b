import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need } from '@berth/api';
import { testRegistry } from '../../tenancy/test-registry.ts';
import type { RoleMode } from '../../tenancy/index.ts';
import { repositoryActions } from '../scope.ts';
import { honoursWildcardScopes, rightsOf } from './rights.ts';
import { roleDefinitions } from './role-definitions.ts';
import { testAssignment } from './test-assignments.ts';

const modes: readonly RoleMode[] = ['LegacyRegistryPermissions', 'AbacRepositoryPermissions'];
const subscription = '/subscriptions/00000000-0000-4000-8000-000000000001';
const group = `${subscription}/resourcegroups/berth`;
const registryId = `${group}/providers/microsoft.containerregistry/registries/local`;
const repository = `${registryId}/repositories/team/a`;

/** Every need of the data plane, in short. */
const needs: Readonly<Record<string, Need>> = {
  ...Object.fromEntries(repositoryActions.map((action) => [action, { type: 'repository', name: 'team/a', action } as const])),
  catalog: { type: 'registry', name: 'catalog', action: '*' },
  deleted_catalog: { type: 'registry', name: 'deleted_catalog', action: '*' },
  operator: { type: 'operator' },
};
const ofRegistry: readonly string[] = ['catalog', 'deleted_catalog', 'operator'];

const reads = ['pull', 'metadata_read', 'catalog', 'deleted_read', 'deleted_catalog', 'quarantine_read'];
const content = [...reads, 'push', 'delete', 'metadata_write', 'deleted_restore', 'quarantine_write'];

/** By role what it permits in legacy mode, and in ABAC mode; nothing where a role is not named. */
const granted: Readonly<Record<string, readonly [legacy: readonly string[], abac: readonly string[]]>> = {
  Owner: [[...content, 'operator'], ['operator']],
  Contributor: [[...content, 'operator'], ['operator']],
  Reader: [reads, []],
  'User Access Administrator': [reads, []],
  'Role Based Access Control Administrator': [reads, []],
  AcrPull: [['pull', 'metadata_read', 'catalog'], []],
  AcrPush: [['pull', 'metadata_read', 'catalog', 'push'], []],
  AcrDelete: [['delete'], []],
  AcrQuarantineReader: [['quarantine_read'], ['quarantine_read']],
  AcrQuarantineWriter: [
    ['quarantine_read', 'quarantine_write'],
    ['quarantine_read', 'quarantine_write'],
  ],
  'Container Registry Repository Reader': [
    ['pull', 'metadata_read'],
    ['pull', 'metadata_read'],
  ],
  'Container Registry Repository Writer': [
    ['pull', 'metadata_read', 'push', 'metadata_write'],
    ['pull', 'metadata_read', 'push', 'metadata_write'],
  ],
  'Container Registry Repository Contributor': [
    ['pull', 'metadata_read', 'push', 'metadata_write', 'delete'],
    ['pull', 'metadata_read', 'push', 'metadata_write', 'delete'],
  ],
  'Container Registry Repository Catalog Lister': [['catalog'], ['catalog']],
  'Container Registry Data Importer and Data Reader': [
    ['pull', 'metadata_read', 'catalog'],
    ['pull', 'metadata_read', 'catalog'],
  ],
  'Container Registry Contributor and Data Access Configuration Administrator': [['operator'], ['operator']],
};

test('the table names roles that exist', () => {
  const names = new Set(roleDefinitions.map(({ name }) => name));
  for (const name of Object.keys(granted)) assert.ok(names.has(name), name);
});

const reaching = [subscription, group, registryId];
const elsewhere = [
  '',
  '/',
  `${subscription}/`,
  `${registryId}/`,
  subscription.slice(0, -1),
  `${subscription}2`,
  `${group}2`,
  group.slice(0, -1),
  `${registryId}2`,
  registryId.slice(0, -1),
  `${registryId}/webhooks/hook1`,
  `${registryId}/repositories`,
  `${registryId}/repositories/`,
  `${registryId}/repositories/*`,
  `${registryId}/repositories/team`,
  `${registryId}/repositories/team/`,
  `${registryId}/repositories/team/a/`,
  `${registryId}/repositories/team/a/b`,
  `${registryId}/repositories/team/a2`,
  `${registryId}/repositories/team2/a`,
  `${registryId}/repositories/team/A`,
  `${group}/providers/microsoft.containerregistry/registries/other`,
  `${group}/providers/microsoft.containerregistry/registries/other/repositories/team/a`,
  `${subscription}/resourcegroups/other/providers/microsoft.containerregistry/registries/local`,
];

for (const [index, roleMode] of modes.entries())
  for (const { name } of roleDefinitions)
    test(`attack 14: ${name} in ${roleMode}`, () => {
      const registry = testRegistry({ roleMode });
      const expected = granted[name]?.[index] ?? [];
      const permitted = (scope: string): string[] => {
        const rights = rightsOf([testAssignment(name, scope)], registry);
        return Object.keys(needs).filter((each) => rights.permits(needs[each] ?? assert.fail()));
      };
      for (const scope of reaching) assert.deepEqual(permitted(scope).toSorted(), expected.toSorted(), scope);
      const inRepository = expected.filter((each) => !ofRegistry.includes(each));
      assert.deepEqual(permitted(repository).toSorted(), inRepository.toSorted(), 'at the repository');
      for (const scope of elsewhere) assert.deepEqual(permitted(scope), [], scope);
    });

test('attack 13: a role in one repository means that one alone', () => {
  for (const roleMode of modes) {
    const assignment = testAssignment('Container Registry Repository Reader', repository);
    const { permits } = rightsOf([assignment], testRegistry({ roleMode }));
    assert.ok(permits({ type: 'repository', name: 'team/a', action: 'pull' }));
    for (const name of [
      'team',
      'team/',
      'team/a/',
      'team/a/b',
      'team/a2',
      'team/A',
      'TEAM/a',
      'x/team/a',
      '',
      '*',
      '../repositories/team/a',
    ])
      assert.equal(permits({ type: 'repository', name, action: 'pull' }), false, name);
  }
});

test('attack 13: all repositories at once take a role in the registry, in legacy mode', () => {
  const all: Need = { type: 'repository', name: '*', action: 'pull' };
  const [legacy, abac] = modes.map((roleMode) => testRegistry({ roleMode }));
  assert.ok(legacy !== undefined && abac !== undefined);
  assert.ok(rightsOf([testAssignment('AcrPull', registryId)], legacy).permits(all));
  assert.ok(rightsOf([testAssignment('Container Registry Repository Reader', registryId)], legacy).permits(all));
  for (const scope of [repository, `${registryId}/repositories/*`])
    assert.equal(rightsOf([testAssignment('AcrPull', scope)], legacy).permits(all), false, scope);
  assert.equal(rightsOf([testAssignment('Container Registry Repository Reader', registryId)], abac).permits(all), false);
  assert.deepEqual([legacy, abac].map(honoursWildcardScopes), [true, false]);
});

test('roles add up, and what one takes away another may give', () => {
  const registry = testRegistry();
  const { permits } = rightsOf([testAssignment('AcrPush', registryId), testAssignment('AcrDelete', repository)], registry);
  const of = (name: string) => repositoryActions.filter((action) => permits({ type: 'repository', name, action }));
  assert.deepEqual(of('team/a'), ['pull', 'push', 'delete', 'metadata_read']);
  assert.deepEqual(of('other'), ['pull', 'push', 'metadata_read']);
  assert.equal(rightsOf([], registry).permits({ type: 'repository', name: 'a', action: 'pull' }), false);
});

const inTeam = `(!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'}) OR @Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWith 'team/')`;

test('a condition limits a role in ABAC mode', () => {
  const assignment = testAssignment('Container Registry Repository Writer', registryId, inTeam);
  const { permits } = rightsOf([assignment], testRegistry({ roleMode: 'AbacRepositoryPermissions' }));
  assert.ok(permits({ type: 'repository', name: 'team/a', action: 'pull' }));
  for (const name of ['team', 'team2/a', 'other', '*'])
    assert.equal(permits({ type: 'repository', name, action: 'pull' }), false, name);
  assert.ok(permits({ type: 'repository', name: 'other', action: 'push' }), 'only the actions that it names');
});

test('the catalog is no repository: a condition on names hides it, one on other actions does not', () => {
  const registry = testRegistry({ roleMode: 'AbacRepositoryPermissions' });
  const lister = (condition: string) =>
    rightsOf([testAssignment('Container Registry Repository Catalog Lister', registryId, condition)], registry);
  const catalog: Need = { type: 'registry', name: 'catalog', action: '*' };
  assert.ok(lister(inTeam).permits(catalog));
  assert.equal(
    lister("@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringLike '*'").permits(catalog),
    false,
  );
  assert.equal(
    lister("!(@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringLike 'x')").permits(catalog),
    false,
  );
});

test('legacy mode knows no conditions: a role with one grants no content', () => {
  const registry = testRegistry();
  for (const { name } of roleDefinitions) {
    const { permits } = rightsOf([testAssignment(name, registryId, "ActionMatches{'*'}")], registry);
    for (const [short, need] of Object.entries(needs))
      if (short !== 'operator') assert.equal(permits(need), false, `${name}: ${short}`);
  }
});
