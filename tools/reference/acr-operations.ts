/** Azure Container Registry's operations, and what of them Berth answers. `acr-compatibility.md` is made of it. */

/** One operation of ACR. `by`: the id of the operation of the contract that answers it. */
export interface AcrOperation {
  readonly operation: string;
  readonly by?: string;
  /** How Berth's answer differs. */
  readonly differs?: string;
  /** Why it is not there. */
  readonly notYet?: string;
}

export interface AcrGroup {
  readonly title: string;
  readonly operations: readonly AcrOperation[];
}

const works = (operation: string, by: string): AcrOperation => ({ operation, by });
const differs = (operation: string, by: string, how: string): AcrOperation => ({ operation, by, differs: how });
const notYet = (operation: string, why: string): AcrOperation => ({ operation, notYet: why });

const distribution: AcrGroup = {
  title: 'Data plane: OCI distribution (1.1)',
  operations: [
    works('GET /v2/', 'check-api'),
    works('GET /v2/_catalog', 'list-repositories'),
    works('GET /v2/{name}/tags/list', 'list-tags'),
    works('GET /v2/{name}/manifests/{reference}', 'get-manifest'),
    works('HEAD /v2/{name}/manifests/{reference}', 'head-manifest'),
    works('PUT /v2/{name}/manifests/{reference}', 'put-manifest'),
    differs('DELETE /v2/{name}/manifests/{reference}', 'delete-manifest', 'a tag is deleted, too, not only a digest'),
    differs('GET /v2/{name}/blobs/{digest}', 'get-blob', 'the bytes come from the login server, without a redirect'),
    works('HEAD /v2/{name}/blobs/{digest}', 'head-blob'),
    works('DELETE /v2/{name}/blobs/{digest}', 'delete-blob'),
    works('POST /v2/{name}/blobs/uploads/', 'start-upload'),
    works('GET (upload)', 'get-upload'),
    works('PATCH (upload)', 'send-chunk'),
    differs('PUT (upload)', 'finish-upload', 'one body may be of any size; ACR takes 20 MB'),
    works('DELETE (upload)', 'cancel-upload'),
    works('GET /v2/{name}/referrers/{digest}', 'list-referrers'),
    notYet('/v2/{name}/_trust/tuf/…', 'Notary v1 has ended; signatures of notation and cosign are kept as referrers'),
  ],
};

const acr: AcrGroup = {
  title: 'Data plane: /acr/v1 (1.7)',
  operations: [
    works('GET /acr/v1/_catalog', 'acr-list-repositories'),
    works('GET /acr/v1/{name}', 'acr-get-repository'),
    works('PATCH /acr/v1/{name}', 'acr-update-repository'),
    works('DELETE /acr/v1/{name}', 'delete-repository'),
    works('GET /acr/v1/{name}/_tags', 'acr-list-tags'),
    works('GET /acr/v1/{name}/_tags/{reference}', 'acr-get-tag'),
    works('PATCH /acr/v1/{name}/_tags/{reference}', 'acr-update-tag'),
    works('DELETE /acr/v1/{name}/_tags/{reference}', 'acr-delete-tag'),
    works('GET /acr/v1/{name}/_manifests', 'acr-list-manifests'),
    works('GET /acr/v1/{name}/_manifests/{digest}', 'acr-get-manifest'),
    differs(
      'PATCH /acr/v1/{name}/_manifests/{digest}',
      'acr-update-manifest',
      'a manifest that may not be read keeps its blobs readable',
    ),
    works('GET /acr/v1/_deleted/_catalog', 'acr-list-deleted-repositories'),
    works('GET /acr/v1/_deleted/{name}/_manifests', 'acr-list-deleted-manifests'),
    works('GET /acr/v1/_deleted/{name}/_tags', 'acr-list-deleted-tags'),
    differs(
      'POST /acr/v1/_deleted/{name}/_manifests/{digest}',
      'acr-restore-manifest',
      'the images of an index come back with it; a pushed digest leaves the bin by itself, where ACR refuses the push',
    ),
    differs('(purge one)', 'acr-purge-manifest', "Berth's own: ACR cannot empty the bin by hand"),
    notYet('/acr/v1/…/_metadata', 'the preview API for key and value metadata'),
    notYet('/acr/v1/{name}/_streaming, _operations', 'artifact streaming'),
    notYet('/helm/v1/{repo}/…', "the API of Helm 2, which ACR's own client has retired; charts are OCI artifacts"),
  ],
};

const access: AcrGroup = {
  title: 'Sign-in (2.1)',
  operations: [
    differs(
      'POST /oauth2/exchange',
      'exchange-token',
      'takes the tokens of every issuer that is trusted; the deprecated grant `refresh_token` is refused',
    ),
    works('POST /oauth2/token', 'post-token'),
    works('GET /oauth2/token', 'get-token'),
    works('GET /metadata/endpoints', 'get-cloud-metadata'),
    works('GET …/.well-known/openid-configuration', 'get-authority'),
    works('the same, with the tenant appended', 'get-authority-of-adfs-tenant'),
    works('the same, of a tenant', 'get-tenant-authority'),
    works('GET …/discovery/keys', 'get-signing-keys'),
    differs(
      'POST …/oauth2/token (ADFS)',
      'sign-in-adfs',
      'service principals only: by secret, or by the token of a trusted issuer',
    ),
    differs('POST /{tenant}/oauth2/v2.0/token', 'sign-in-tenant-v2', 'service principals only'),
    differs('POST /{tenant}/oauth2/token', 'sign-in-tenant-v1', 'service principals only'),
  ],
};

/** The five operations of a collection of children. */
function collection(path: string, one: string, how?: string): readonly AcrOperation[] {
  const entry = (operation: string, verb: string): AcrOperation =>
    how === undefined ? works(operation, `arm-${verb}-${one}`) : differs(operation, `arm-${verb}-${one}`, how);
  return [
    entry(`GET R/${path}`, 'list'),
    entry(`GET R/${path}/{name}`, 'get'),
    entry(`PUT R/${path}/{name}`, 'put'),
    entry(`PATCH R/${path}/{name}`, 'patch'),
    entry(`DELETE R/${path}/{name}`, 'delete'),
  ];
}

const registry: AcrGroup = {
  title: 'Resource manager: registries (3.2)',
  operations: [
    works('GET RP/operations', 'arm-list-operations'),
    works('POST SUB/RP/checkNameAvailability', 'arm-check-name'),
    works('GET SUB/RP/registries', 'arm-list-registries'),
    works('GET RG/RP/registries', 'arm-list-group-registries'),
    works('GET R', 'arm-get-registry'),
    differs(
      'PUT R',
      'arm-put-registry',
      'refuses managed identities, customer-managed keys, content trust and virtual network rules with the reason',
    ),
    differs('PATCH R', 'arm-patch-registry', 'the same; soft delete and retention may be on together'),
    differs('DELETE R', 'arm-delete-registry', 'the default registry stays'),
    differs('POST R/importImage', 'arm-import-image', 'referrers come along; a retry goes on with what is missing'),
    works('GET R/operationResults/{id}', 'arm-get-import'),
    works('GET R/listUsages', 'arm-list-usages'),
    works('POST R/listCredentials', 'arm-list-credentials'),
    works('POST R/regenerateCredential', 'arm-regenerate-credential'),
    works('POST R/generateCredentials', 'arm-generate-credentials'),
    works('GET R/privateLinkResources', 'arm-list-private-link-resources'),
    works('GET R/privateLinkResources/{name}', 'arm-get-private-link-resource'),
    notYet(
      'R/listPolicies, R/updatePolicies, R/getBuildSourceUploadUrl',
      'of 2017 and 2018, replaced by `properties.policies` and by tasks',
    ),
  ],
};

const children: AcrGroup = {
  title: 'Resource manager: children of registries (3.2)',
  operations: [
    ...collection('scopeMaps', 'scope-map'),
    ...collection('tokens', 'token', 'certificates are refused; passwords only'),
    ...collection('webhooks', 'webhook', 'kept and checked; nothing is delivered yet'),
    works('POST R/webhooks/{name}/getCallbackConfig', 'arm-webhook-get-callback-config'),
    notYet('POST R/webhooks/{name}/ping, listEvents', 'come with delivery'),
    ...collection('replications', 'replication', 'kept and checked; nothing is copied yet'),
    notYet('R/cacheRules, R/credentialSets', 'pull-through caching'),
    notYet('R/connectedRegistries', 'connected registries'),
    notYet('R/privateEndpointConnections', 'private endpoints belong to a cloud; network rules take their place'),
    notYet('R/exportPipelines, R/importPipelines, R/pipelineRuns', 'transfer pipelines'),
    notYet('R/packages/{type}/archives', 'package archives'),
    notYet('R/scheduleRun, R/runs, R/tasks, R/taskRuns, R/agentPools, R/listBuildSourceUploadUrl', 'Tasks'),
  ],
};

/** The tree and the roles around registries, which belong to the resource manager and not to ACR. */
const tree: AcrGroup = {
  title: 'Resource manager: around registries (7)',
  operations: [
    works('GET /tenants', 'arm-list-tenants'),
    works('GET /subscriptions', 'arm-list-subscriptions'),
    works('GET SUB', 'arm-get-subscription'),
    works('GET SUB/locations', 'arm-list-locations'),
    works('GET SUB/providers', 'arm-list-providers'),
    works('GET SUB/providers/{provider}', 'arm-get-provider'),
    works('POST SUB/providers/{provider}/register', 'arm-register-provider'),
    differs('GET SUB/resources', 'arm-list-resources', 'lists registries; filters by type and name'),
    differs('GET RG/resources', 'arm-list-group-resources', 'the same'),
    works('GET SUB/resourceGroups', 'arm-list-resource-groups'),
    works('GET RG', 'arm-get-resource-group'),
    works('PUT RG', 'arm-put-resource-group'),
    differs('DELETE RG', 'arm-delete-resource-group', 'only a group that holds no registry'),
    ...['subscription', 'group', 'registry'].flatMap((scope) => [
      works(`GET (${scope})/…/roleAssignments`, `arm-list-role-assignments-of-${scope}`),
      works(`GET (${scope})/…/roleAssignments/{name}`, `arm-get-role-assignment-of-${scope}`),
      works(`PUT (${scope})/…/roleAssignments/{name}`, `arm-put-role-assignment-of-${scope}`),
      works(`DELETE (${scope})/…/roleAssignments/{name}`, `arm-delete-role-assignment-of-${scope}`),
      differs(`GET (${scope})/…/roleDefinitions`, `arm-list-role-definitions-of-${scope}`, 'built-in roles only'),
    ]),
  ],
};

export const acrGroups: readonly AcrGroup[] = [distribution, acr, access, registry, children, tree];
