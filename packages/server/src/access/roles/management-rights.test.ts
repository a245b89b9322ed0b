import assert from 'node:assert/strict';
import { test } from 'node:test';
import { managementRightsOf } from './management-rights.ts';
import { testAssignment } from './test-assignments.ts';

const subscription = '/subscriptions/00000000-0000-4000-8000-000000000001';
const group = `${subscription}/resourcegroups/berth`;
const registryId = `${group}/providers/microsoft.containerregistry/registries/local`;
const acr = (action: string): string => `Microsoft.ContainerRegistry/registries/${action}`;
const assign = 'Microsoft.Authorization/roleAssignments/write';

const may = (roleName: string, action: string, scope = registryId): boolean =>
  managementRightsOf([testAssignment(roleName, registryId)]).permits({ type: 'resource', action, scope });

const table: readonly [roleName: string, may: readonly string[], mayNot: readonly string[]][] = [
  ['Owner', [acr('read'), acr('write'), acr('delete'), assign, acr('listCredentials/action')], []],
  [
    'Contributor',
    [acr('write'), acr('delete'), acr('regenerateCredential/action'), 'Microsoft.Authorization/roleAssignments/read'],
    [assign, 'Microsoft.Authorization/roleAssignments/delete', 'microsoft.authorization/elevateaccess/action'],
  ],
  [
    'Reader',
    [acr('read'), acr('webhooks/read'), acr('READ')],
    [acr('write'), acr('listCredentials/action'), acr('webhooks/ping/action'), assign],
  ],
  [
    'User Access Administrator',
    [acr('read'), assign, 'Microsoft.Authorization/roleAssignments/delete'],
    [acr('write'), acr('listCredentials/action')],
  ],
  ['AcrPull', [], [acr('read'), acr('write')]],
  ['AcrPush', [], [acr('read'), acr('write'), acr('importImage/action')]],
  ['Container Registry Repository Contributor', [], [acr('read'), acr('repositories/content/read'), acr('delete')]],
  [
    'Container Registry Contributor and Data Access Configuration Administrator',
    [
      acr('write'),
      acr('delete'),
      acr('tokens/write'),
      acr('scopeMaps/delete'),
      acr('webhooks/ping/action'),
      acr('generateCredentials/action'),
    ],
    [
      assign,
      acr('pull/read'),
      acr('push/write'),
      acr('importImage/action'),
      acr('tasks/write'),
      acr('metadata/write'),
      acr('deleted/read'),
    ],
  ],
  [
    'Container Registry Configuration Reader and Data Access Configuration Reader',
    [
      acr('read'),
      acr('tokens/read'),
      acr('replications/operationStatuses/read'),
      acr('listPolicies/read'),
      acr('listCredentials/action'),
    ],
    [
      acr('write'),
      acr('tokens/write'),
      acr('pull/read'),
      acr('regenerateCredential/action'),
      acr('webhooks/write'),
      acr('tasks/read'),
    ],
  ],
  [
    'Container Registry Tasks Contributor',
    [
      acr('tasks/write'),
      acr('scheduleRun/action'),
      acr('runs/cancel/action'),
      acr('runs/listLogSasUrl/action'),
      acr('agentPools/delete'),
    ],
    [acr('write'), acr('pull/read'), acr('webhooks/read')],
  ],
  [
    'Container Registry Transfer Pipeline Contributor',
    [acr('exportPipelines/write'), acr('pipelineRuns/read')],
    [acr('write'), acr('pull/read')],
  ],
  [
    'Container Registry Data Importer and Data Reader',
    [acr('importImage/action'), acr('read')],
    [acr('write'), acr('push/write')],
  ],
  [
    'Container Registry Cache Rule Administrator',
    [acr('cacheRules/write'), acr('cacheRules/delete')],
    [acr('write'), acr('credentialSets/write')],
  ],
  ['Container Registry Cache Rule Reader', [acr('cacheRules/read')], [acr('cacheRules/write')]],
  ['Container Registry Credential Set Administrator', [acr('credentialSets/write')], [acr('write'), acr('cacheRules/write')]],
  [
    'Container Registry Credential Set Reader',
    [acr('credentialSets/read')],
    [acr('credentialSets/write'), acr('cacheRules/read')],
  ],
];

for (const [roleName, allowed, denied] of table)
  test(`${roleName} in the resource manager`, () => {
    for (const action of allowed) assert.ok(may(roleName, action), action);
    for (const action of denied) assert.equal(may(roleName, action), false, action);
  });

test('a role reaches what lies below its scope, and nothing beside or above', () => {
  for (const scope of [registryId, `${registryId}/webhooks/hook1`, `${registryId}/repositories/a`])
    assert.ok(may('Owner', acr('read'), scope), scope);
  for (const scope of [
    group,
    subscription,
    '',
    '/',
    `${registryId}2`,
    `${registryId}2/webhooks/hook1`,
    registryId.slice(0, -1),
    `${group}/providers`,
  ])
    assert.equal(may('Owner', acr('read'), scope), false, scope);
});

test('a role in one repository is none in its registry', () => {
  const { permits } = managementRightsOf([testAssignment('Owner', `${registryId}/repositories/a`)]);
  assert.equal(permits({ type: 'resource', action: acr('read'), scope: registryId }), false);
});

test('a condition on content leaves the actions of the resource manager alone; one on names denies them', () => {
  const conditional = (condition: string) => managementRightsOf([testAssignment('Owner', registryId, condition)]);
  const need = { type: 'resource', action: acr('read'), scope: registryId } as const;
  assert.ok(conditional(`!(ActionMatches{'${acr('repositories/content/read')}'})`).permits(need));
  assert.equal(conditional(`ActionMatches{'${acr('write')}'}`).permits(need), false);
  assert.equal(
    conditional("@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringNotEquals 'a'").permits(need),
    false,
  );
});
