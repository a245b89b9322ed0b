import { type RoleDefinition, role } from './role-definition.ts';

/** What the roles below see besides their own subject. */
const surroundings: readonly string[] = [
  'Microsoft.Authorization/*/read',
  'Microsoft.Insights/alertRules/*',
  'Microsoft.Resources/deployments/*',
  'Microsoft.Resources/subscriptions/resourceGroups/read',
];

/** What configures a registry: each with `read`, `write`, `delete` and whatever else it knows. */
const configured: readonly string[] = [
  '/connectedRegistries',
  '/privateEndpointConnections',
  '/privateEndpointConnectionProxies',
  '/replications',
  '/scopeMaps',
  '/tokens',
  '/webhooks',
];

/** Roles for registries as resources: none of them reaches what a registry holds (acr-api 2.7). */
export const controlRoles: readonly RoleDefinition[] = [
  role(
    '3bc748fc-213d-45c1-8d91-9da5725539b9',
    'Container Registry Contributor and Data Access Configuration Administrator',
    'Creates, configures and deletes registries and how one signs in to them, without access to what they hold.',
    {
      actions: [
        ...surroundings,
        'Microsoft.ContainerRegistry/checkNameAvailability/read',
        'Microsoft.ContainerRegistry/locations/operationResults/read',
        'Microsoft.ContainerRegistry/operations/read',
        '/read',
        '/write',
        '/delete',
        '/operationStatuses/read',
        '/listCredentials/action',
        '/regenerateCredential/action',
        '/generateCredentials/action',
        '/listPolicies/read',
        '/updatePolicies/write',
        '/privateEndpointConnectionsApproval/action',
        ...configured.map((subject) => `${subject}/*`),
      ],
    },
  ),
  role(
    '69b07be0-09bf-439a-b9a6-e73de851bd59',
    'Container Registry Configuration Reader and Data Access Configuration Reader',
    'Sees the configuration of registries and how one signs in to them, without access to what they hold.',
    {
      actions: [
        'Microsoft.Authorization/*/read',
        'Microsoft.Resources/subscriptions/resourceGroups/read',
        'Microsoft.ContainerRegistry/checkNameAvailability/read',
        'Microsoft.ContainerRegistry/locations/operationResults/read',
        'Microsoft.ContainerRegistry/operations/read',
        '/read',
        '/operationStatuses/read',
        '/listCredentials/action',
        '/listPolicies/read',
        ...configured.map((subject) => `${subject}/*read`),
        '/webhooks/getCallbackConfig/action',
        '/webhooks/listEvents/action',
      ],
    },
  ),
  role('fb382eab-e894-4461-af04-94435c366c3f', 'Container Registry Tasks Contributor', 'Manages and runs tasks.', {
    actions: [
      ...surroundings,
      '/read',
      '/scheduleRun/action',
      '/listBuildSourceUploadUrl/action',
      '/agentpools/*',
      '/runs/*',
      '/taskruns/*',
      '/tasks/*',
    ],
  }),
  role(
    'bf94e731-3a51-4a7c-8c54-a1ab9971dfc1',
    'Container Registry Transfer Pipeline Contributor',
    'Manages transfer pipelines.',
    {
      actions: [...surroundings, '/read', '/exportPipelines/*', '/importPipelines/*', '/pipelineRuns/*'],
    },
  ),
  role('df87f177-bb12-4db1-9793-a413691eff94', 'Container Registry Cache Rule Administrator', 'Manages cache rules.', {
    actions: ['/read', '/cacheRules/read', '/cacheRules/write', '/cacheRules/delete', '/cacheRules/operationStatuses/read'],
  }),
  role('c357b964-0002-4b64-a50d-7a28f02edc52', 'Container Registry Cache Rule Reader', 'Sees cache rules.', {
    actions: ['/read', '/cacheRules/read', '/cacheRules/operationStatuses/read'],
  }),
  role('f094fb07-0703-4400-ad6a-e16dd8000e14', 'Container Registry Credential Set Administrator', 'Manages credential sets.', {
    actions: [
      '/read',
      '/credentialSets/read',
      '/credentialSets/write',
      '/credentialSets/delete',
      '/credentialSets/operationStatuses/read',
    ],
  }),
  role('29093635-9924-4f2c-913b-650a12949526', 'Container Registry Credential Set Reader', 'Sees credential sets.', {
    actions: ['/read', '/credentialSets/read', '/credentialSets/operationStatuses/read'],
  }),
];
