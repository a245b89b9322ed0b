import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../../errors/index.ts';
import { parseScopeMapActions } from './actions.ts';
import { systemScopeMaps } from './system-scope-maps.ts';

test('the actions that ACR knows', () => {
  const texts = [
    'repositories/a/content/read',
    'repositories/team/a/content/write',
    'repositories/*/content/delete',
    'repositories/team/*/metadata/read',
    'repositories/team/sub/*/metadata/write',
    'repositories/a/content/read/content/read',
    'gateway/edge1/config/read',
    'gateway/Edge1/config/write',
    'gateway/edge1/message/read',
    'gateway/edge1/message/write',
  ];
  assert.deepEqual(
    parseScopeMapActions([...texts, ...texts]).map((action) =>
      action.kind === 'gateway'
        ? `gateway/${action.connectedRegistry}/${action.verb}`
        : `repositories/${action.repositories}/${action.verb}`,
    ),
    texts,
  );
});

const refused: readonly [action: string, said: RegExp][] = [
  ['', /begins with neither/],
  ['a', /begins with neither/],
  ['Repositories/a/content/read', /begins with neither/],
  ['registries/a/content/read', /begins with neither/],
  ['/repositories/a/content/read', /begins with neither/],
  ['repositories', /ends with none/],
  ['repositories/a', /ends with none/],
  ['repositories/a/content', /ends with none/],
  ['repositories/a/content/Read', /ends with none/],
  ['repositories/a/metadata/delete', /ends with none/],
  ['repositories/a/content/*', /ends with none/],
  ['repositories/a/content/read/', /ends with none/],
  ['repositories/a/content/read ', /ends with none/],
  ['repositories/content/read', /names no repository/],
  ['repositories//content/read', /names no repository/],
  ['repositories/A/content/read', /upper-case/],
  ['repositories/a//content/read', /not a repository name/],
  ['repositories/a/../b/content/read', /not a repository name/],
  ['repositories/team*/content/read', /a wildcard stands alone/],
  ['repositories/*/a/content/read', /a wildcard stands alone/],
  ['repositories/team/*/a/content/read', /a wildcard stands alone/],
  ['repositories/*/*/content/read', /a wildcard stands alone/],
  ['repositories/team/*/*/content/read', /a wildcard stands alone/],
  ['repositories/**/content/read', /a wildcard stands alone/],
  ['repositories//*/content/read', /not a repository name/],
  [`repositories/${'a'.repeat(256)}/content/read`, /256 characters/],
  [`repositories/${'a/'.repeat(100_000)}content/read`, /longer than/],
  ['gateway/edge1/content/read', /ends with none/],
  ['gateway/edge1', /ends with none/],
  ['gateway/e/config/read', /5 to 50 letters/],
  ['gateway/edge-1/config/read', /5 to 50 letters/],
  ['gateway/*/config/read', /5 to 50 letters/],
  ['gateway/edge1/a/config/read', /5 to 50 letters/],
];

for (const [action, said] of refused)
  test(`refused: ${action.slice(0, 60)}`, () => {
    assert.throws(
      () => parseScopeMapActions(['repositories/good/content/read', action]),
      (error) =>
        error instanceof RegistryError &&
        error.error === 'INVALID_PARAMETER' &&
        error.target === 'properties.actions' &&
        error.message.includes(JSON.stringify(action).slice(1, 40).replace(/"$/, '')) &&
        error.message.length < 1000 &&
        said.test(error.message),
    );
  });

test('a map has at most 500 actions and names at most 500 repositories', () => {
  const actions = (count: number): string[] => Array.from({ length: count }, (_, index) => `repositories/r${index}/content/read`);
  assert.equal(parseScopeMapActions(actions(500)).length, 500);
  assert.throws(() => parseScopeMapActions(actions(501)), /at most 500 actions, here are 501/);
  assert.deepEqual(parseScopeMapActions([]), []);
});

test('the five maps of the system are valid', () => {
  assert.deepEqual(
    systemScopeMaps.map(({ name, actions }) => [name, parseScopeMapActions(actions).length]),
    [
      ['_repositories_pull', 1],
      ['_repositories_pull_metadata_read', 2],
      ['_repositories_push', 2],
      ['_repositories_push_metadata_write', 4],
      ['_repositories_admin', 5],
    ],
  );
});
