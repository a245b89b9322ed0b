import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Need, RepositoryAction } from '@berth/api';
import fc from 'fast-check';
import { repositoryActions } from '../scope.ts';
import { parseScopeMapActions } from './actions.ts';
import { rightsOfScopeMap } from './scope-map-rights.ts';
import { systemScopeMaps } from './system-scope-maps.ts';

const rights = (...actions: string[]) => rightsOfScopeMap(parseScopeMapActions(actions));
const need = (name: string, action: RepositoryAction = 'pull'): Need => ({ type: 'repository', name, action });
const catalog: Need = { type: 'registry', name: 'catalog', action: '*' };

const verbs: readonly [verb: string, grants: RepositoryAction][] = [
  ['content/read', 'pull'],
  ['content/write', 'push'],
  ['content/delete', 'delete'],
  ['metadata/read', 'metadata_read'],
  ['metadata/write', 'metadata_write'],
];

for (const [verb, grants] of verbs)
  for (const repositories of ['team/a', 'team/*', '*'])
    test(`attack 14: repositories/${repositories}/${verb} grants ${grants} and nothing else`, () => {
      const { permits } = rights(`repositories/${repositories}/${verb}`);
      for (const action of repositoryActions) assert.equal(permits(need('team/a', action)), action === grants, action);
      for (const other of [
        catalog,
        { type: 'registry', name: 'deleted_catalog', action: '*' },
        { type: 'operator' },
        { type: 'resource', action: 'Microsoft.ContainerRegistry/registries/read', scope: '' },
      ] as const)
        assert.equal(permits(other), false, other.type);
    });

test('attack 13: a name means itself', () => {
  const { permits } = rights('repositories/team/a/content/read');
  assert.ok(permits(need('team/a')));
  for (const other of [
    'team',
    'team/',
    'team/a/',
    'team/a/b',
    'team/a2',
    'team/A',
    'a',
    'x/team/a',
    '*',
    'team/*',
    'team/a/*',
    '',
  ])
    assert.equal(permits(need(other)), false, other);
});

test('attack 13: team/* means what lies below team, at any depth', () => {
  const { permits } = rights('repositories/team/*/content/read');
  for (const below of ['team/a', 'team/a/b', 'team/a/b/c']) assert.ok(permits(need(below)), below);
  for (const other of ['team', 'team2', 'team2/a', 'teams/a', 'Team/a', 'x/team/a', '*', 'team/*', 'team/a/*', 'a'])
    assert.equal(permits(need(other)), false, other);
});

test('the lone star means every repository, and the whole registry for who asks for it', () => {
  const { permits } = rights('repositories/*/content/read');
  for (const name of ['a', 'team/a', '*']) assert.ok(permits(need(name)), name);
  assert.equal(permits(need('*', 'push')), false);
});

test('rules add up', () => {
  const { permits } = rights(
    'repositories/*/content/read',
    'repositories/team/*/content/write',
    'repositories/team/a/content/delete',
  );
  const granted = (name: string) => (['pull', 'push', 'delete'] as const).filter((action) => permits(need(name, action)));
  assert.deepEqual(granted('team/a'), ['pull', 'push', 'delete']);
  assert.deepEqual(granted('team/b'), ['pull', 'push']);
  assert.deepEqual(granted('other'), ['pull']);
});

test('a gateway action grants nothing in the registry', () => {
  const { permits } = rights('gateway/edge1/config/read', 'gateway/edge1/message/write');
  assert.ok([...repositoryActions.map((action) => need('edge1', action)), catalog].every((each) => !permits(each)));
});

test('the catalog takes both reads over all repositories', () => {
  const seeing = systemScopeMaps.filter(({ actions }) => rights(...actions).permits(catalog)).map(({ name }) => name);
  assert.deepEqual(seeing, ['_repositories_pull_metadata_read', '_repositories_push_metadata_write', '_repositories_admin']);
  assert.equal(rights('repositories/a/*/content/read', 'repositories/a/*/metadata/read').permits(catalog), false);
  assert.equal(rights('repositories/*/content/read', 'repositories/a/metadata/read').permits(catalog), false);
});

const component = fc.constantFrom('a', 'b', 'ab', 'a-b');
const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

test('property: a rule means exactly the names that its words say', () => {
  const rule = fc.oneof(
    name,
    name.map((prefix) => `${prefix}/*`),
    fc.constant('*'),
  );
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), name, (rules, asked) => {
      const { permits } = rights(...rules.map((each) => `repositories/${each}/content/read`));
      const expected = rules.some((each) => (each.endsWith('*') ? asked.startsWith(each.slice(0, -1)) : each === asked));
      assert.equal(permits(need(asked)), expected);
    }),
    { numRuns: 1000 },
  );
});
