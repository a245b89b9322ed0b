import { Type } from '../schema.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { children, getWebhookCallback, listMoreWebhookEvents, listWebhookEvents, pingWebhook } from './arm-children.ts';
import { roles } from './arm-roles.ts';
import * as runs from './arm-tasks.ts';
import {
  common,
  group,
  list,
  may,
  ofRegistry,
  provider,
  registry,
  registryType,
  resource,
  signedIn,
  subscription,
  version,
} from './arm-words.ts';

export { children, getWebhookCallback, listMoreWebhookEvents, listWebhookEvents, pingWebhook, roles, runs };

/** The resource manager (acr-api 3): subscriptions, groups, registries and what hangs on a registry. */

export const listTenants = defineOperation({
  id: 'arm-list-tenants',
  method: 'GET',
  path: '/tenants',
  source: 'acr-api 7.2',
  permission: signedIn,
  summary: 'Lists the one tenant of the deployment.',
  query: version,
  responses: { 200: { description: 'the tenants', schema: list } },
  errors: common,
});
export const listSubscriptions = defineOperation({
  id: 'arm-list-subscriptions',
  method: 'GET',
  path: '/subscriptions',
  source: 'acr-api 7.2',
  permission: signedIn,
  summary: 'Lists the one subscription of the deployment.',
  query: version,
  responses: { 200: { description: 'the subscriptions', schema: list } },
  errors: common,
});
export const getSubscription = defineOperation({
  id: 'arm-get-subscription',
  method: 'GET',
  path: subscription,
  source: 'acr-api 7.2',
  permission: signedIn,
  summary: 'Describes a subscription.',
  query: version,
  responses: { 200: { description: 'the subscription', schema: Type.Object({}) } },
  errors: common,
});
export const listLocations = defineOperation({
  id: 'arm-list-locations',
  method: 'GET',
  path: `${subscription}/locations`,
  source: 'Azure Resource Manager',
  permission: signedIn,
  summary: 'Lists the regions.',
  query: version,
  responses: { 200: { description: 'the regions', schema: list } },
  errors: common,
});
export const listProviders = defineOperation({
  id: 'arm-list-providers',
  method: 'GET',
  path: `${subscription}/providers`,
  source: 'Azure Resource Manager',
  permission: signedIn,
  summary: 'Lists the resource providers.',
  query: version,
  responses: { 200: { description: 'the providers', schema: list } },
  errors: common,
});
export const getProvider = defineOperation({
  id: 'arm-get-provider',
  method: 'GET',
  path: `${subscription}/providers/{provider}`,
  source: 'Azure Resource Manager',
  permission: signedIn,
  summary: 'Describes a resource provider.',
  query: version,
  responses: { 200: { description: 'the provider', schema: Type.Object({}) } },
  errors: [...common, 'RESOURCE_NOT_FOUND'],
});
export const registerProvider = defineOperation({
  id: 'arm-register-provider',
  method: 'POST',
  path: `${subscription}/providers/{provider}/register`,
  source: 'Azure Resource Manager',
  permission: signedIn,
  summary: 'Registers a provider: they all are.',
  query: version,
  responses: { 200: { description: 'the provider', schema: Type.Object({}) } },
  errors: [...common, 'RESOURCE_NOT_FOUND'],
});
export const listOperations = defineOperation({
  id: 'arm-list-operations',
  method: 'GET',
  path: `/${provider}/operations`,
  source: 'acr-api 3.2',
  permission: signedIn,
  summary: 'Lists the actions that roles can grant.',
  query: version,
  responses: { 200: { description: 'the actions', schema: list } },
  errors: ['UNAUTHORIZED', 'MISSING_API_VERSION'],
});
export const listResources = defineOperation({
  id: 'arm-list-resources',
  method: 'GET',
  path: `${subscription}/resources`,
  source: 'acr-api 7.3',
  permission: may(`${registryType}/read`),
  summary: 'Lists resources of every type; `$filter` may name a type or a resource.',
  query: version,
  responses: { 200: { description: 'the resources', schema: list } },
  errors: common,
});
export const listGroupResources = defineOperation({
  id: 'arm-list-group-resources',
  method: 'GET',
  path: `${group}/resources`,
  source: 'Azure Resource Manager',
  permission: may(`${registryType}/read`),
  summary: 'The same, of one resource group.',
  query: version,
  responses: { 200: { description: 'the resources', schema: list } },
  errors: [...common, 'RESOURCE_GROUP_NOT_FOUND'],
});

const groups = 'Microsoft.Resources/subscriptions/resourceGroups';
export const listResourceGroups = defineOperation({
  id: 'arm-list-resource-groups',
  method: 'GET',
  path: `${subscription}/resourceGroups`,
  source: 'Azure Resource Manager',
  permission: signedIn,
  summary: 'Lists the resource groups.',
  query: version,
  responses: { 200: { description: 'the groups', schema: list } },
  errors: common,
});
export const getResourceGroup = defineOperation({
  id: 'arm-get-resource-group',
  method: 'GET',
  path: group,
  source: 'Azure Resource Manager',
  permission: may(`${groups}/read`),
  summary: 'Describes a resource group.',
  query: version,
  responses: { 200: { description: 'the group', schema: Type.Object({}) } },
  errors: [...common, 'RESOURCE_GROUP_NOT_FOUND'],
});
export const putResourceGroup = defineOperation({
  id: 'arm-put-resource-group',
  method: 'PUT',
  path: group,
  source: 'Azure Resource Manager',
  permission: may(`${groups}/write`),
  summary: 'Makes a resource group, or replaces its tags.',
  query: version,
  body: Type.Object({ location: Type.String(), tags: Type.Optional(Type.Object({})) }),
  responses: {
    200: { description: 'updated', schema: Type.Object({}) },
    201: { description: 'made', schema: Type.Object({}) },
  },
  errors: [...common, 'INVALID_PARAMETER'],
});
export const deleteResourceGroup = defineOperation({
  id: 'arm-delete-resource-group',
  method: 'DELETE',
  path: group,
  source: 'Azure Resource Manager',
  permission: may(`${groups}/delete`),
  summary: 'Deletes a resource group that holds nothing.',
  query: version,
  responses: { 200: { description: 'deleted' }, 204: { description: 'there was none' } },
  errors: [...common, 'CONFLICT'],
});

export const checkNameAvailability = defineOperation({
  id: 'arm-check-name',
  method: 'POST',
  path: `${subscription}/${provider}/checkNameAvailability`,
  source: 'acr-api 3.2',
  permission: signedIn,
  summary: 'Tells whether a registry may have a name.',
  query: version,
  body: Type.Object({ name: Type.String(), type: Type.Optional(Type.String()) }),
  responses: { 200: { description: 'the answer', schema: Type.Object({ nameAvailable: Type.Boolean() }) } },
  errors: common,
});
export const listRegistries = defineOperation({
  id: 'arm-list-registries',
  method: 'GET',
  path: `${subscription}/${provider}/registries`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/read`),
  summary: 'Lists the registries of the subscription.',
  query: version,
  responses: { 200: { description: 'the registries', schema: list } },
  errors: common,
});
export const listGroupRegistries = defineOperation({
  id: 'arm-list-group-registries',
  method: 'GET',
  path: `${group}/${provider}/registries`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/read`),
  summary: 'Lists the registries of a resource group.',
  query: version,
  responses: { 200: { description: 'the registries', schema: list } },
  errors: [...common, 'RESOURCE_GROUP_NOT_FOUND'],
});
export const getRegistry = defineOperation({
  id: 'arm-get-registry',
  method: 'GET',
  path: registry,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/read`),
  summary: 'Describes a registry.',
  query: version,
  responses: { 200: { description: 'the registry', schema: resource } },
  errors: ofRegistry,
});
const registryBody = Type.Object({
  location: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
  sku: Type.Optional(Type.Object({ name: Type.String() })),
  properties: Type.Optional(Type.Object({})),
});
export const putRegistry = defineOperation({
  id: 'arm-put-registry',
  method: 'PUT',
  path: registry,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/write`),
  summary: 'Makes a registry, or replaces what can be written of it.',
  query: version,
  body: registryBody,
  responses: { 200: { description: 'replaced', schema: resource }, 201: { description: 'made', schema: resource } },
  errors: [...ofRegistry, 'INVALID_PARAMETER', 'NAME_IN_USE', 'CONFLICT'],
});
export const patchRegistry = defineOperation({
  id: 'arm-patch-registry',
  method: 'PATCH',
  path: registry,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/write`),
  summary: 'Changes what the body names, and leaves the rest.',
  query: version,
  body: registryBody,
  responses: { 200: { description: 'changed', schema: resource } },
  errors: [...ofRegistry, 'INVALID_PARAMETER', 'CONFLICT'],
});
export const deleteRegistry = defineOperation({
  id: 'arm-delete-registry',
  method: 'DELETE',
  path: registry,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/delete`),
  summary: 'Deletes a registry with its content. The default registry stays.',
  query: version,
  responses: { 200: { description: 'deleted' }, 204: { description: 'there was none' } },
  errors: [...common, 'RESOURCE_GROUP_NOT_FOUND', 'CONFLICT'],
});
export const listUsages = defineOperation({
  id: 'arm-list-usages',
  method: 'GET',
  path: `${registry}/listUsages`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/listUsages/read`),
  summary: 'Tells how much of what its plan allows a registry uses.',
  query: version,
  responses: { 200: { description: 'the usages', schema: list } },
  errors: ofRegistry,
});
const credentials = Type.Object({
  username: Type.String(),
  passwords: Type.Array(Type.Object({ name: Type.String(), value: Type.Optional(Type.String()) })),
});
export const listCredentials = defineOperation({
  id: 'arm-list-credentials',
  method: 'POST',
  path: `${registry}/listCredentials`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/listCredentials/action`),
  summary: 'Shows the passwords of the admin user.',
  query: version,
  responses: { 200: { description: 'the passwords', schema: credentials } },
  errors: [...ofRegistry, 'CONFLICT'],
});
export const regenerateCredential = defineOperation({
  id: 'arm-regenerate-credential',
  method: 'POST',
  path: `${registry}/regenerateCredential`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/regenerateCredential/action`),
  summary: 'Replaces one of the two passwords of the admin user.',
  query: version,
  body: Type.Object({ name: Type.String() }),
  responses: { 200: { description: 'the passwords', schema: credentials } },
  errors: [...ofRegistry, 'CONFLICT', 'INVALID_PARAMETER'],
});
export const generateCredentials = defineOperation({
  id: 'arm-generate-credentials',
  method: 'POST',
  path: `${registry}/generateCredentials`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/generateCredentials/action`),
  summary: 'Makes one or both passwords of a token, shown once.',
  query: version,
  body: Type.Object({
    tokenId: Type.String(),
    expiry: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  }),
  responses: { 200: { description: 'the passwords', schema: credentials } },
  errors: [...ofRegistry, 'INVALID_PARAMETER'],
});
export const importImage = defineOperation({
  id: 'arm-import-image',
  method: 'POST',
  path: `${registry}/importImage`,
  source: 'acr-api 3.3',
  permission: may(`${registryType}/importImage/action`),
  summary: 'Copies an image with all that belongs to it from another registry.',
  query: version,
  body: Type.Object({
    source: Type.Object({ sourceImage: Type.String() }),
    targetTags: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
    untaggedTargetRepositories: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
    mode: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  }),
  responses: {
    200: { description: 'imported' },
    202: { description: 'it runs; ask at `Location`', headers: ['Location', 'Retry-After'] },
  },
  errors: [...ofRegistry, 'INVALID_PARAMETER', 'CONFLICT'],
});
export const getImport = defineOperation({
  id: 'arm-get-import',
  method: 'GET',
  path: `${registry}/operationResults/{operationId}`,
  source: 'acr-api 3.1',
  permission: may(`${registryType}/importImage/action`),
  summary: 'Tells how far an import is.',
  query: version,
  responses: {
    200: { description: 'done' },
    202: { description: 'it runs still', headers: ['Location', 'Retry-After'] },
  },
  errors: [...ofRegistry, 'CONFLICT'],
});
export const getPrivateLinkResource = defineOperation({
  id: 'arm-get-private-link-resource',
  method: 'GET',
  path: `${registry}/privateLinkResources/{groupName}`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/privateLinkResources/read`),
  summary: 'Describes what a private endpoint could reach.',
  query: version,
  responses: { 200: { description: 'the group', schema: resource } },
  errors: ofRegistry,
});
export const listPrivateLinkResources = defineOperation({
  id: 'arm-list-private-link-resources',
  method: 'GET',
  path: `${registry}/privateLinkResources`,
  source: 'acr-api 3.2',
  permission: may(`${registryType}/privateLinkResources/read`),
  summary: 'Lists what a private endpoint could reach.',
  query: version,
  responses: { 200: { description: 'the group', schema: list } },
  errors: ofRegistry,
});

/** Every operation of this file. */
export const operations: readonly Operation[] = [
  listTenants,
  listSubscriptions,
  getSubscription,
  listLocations,
  listProviders,
  getProvider,
  registerProvider,
  listOperations,
  listResources,
  listGroupResources,
  listResourceGroups,
  getResourceGroup,
  putResourceGroup,
  deleteResourceGroup,
  checkNameAvailability,
  listRegistries,
  listGroupRegistries,
  getRegistry,
  putRegistry,
  patchRegistry,
  deleteRegistry,
  listUsages,
  listCredentials,
  regenerateCredential,
  generateCredentials,
  importImage,
  getImport,
  listPrivateLinkResources,
  getPrivateLinkResource,
  ...Object.values(children).flatMap((each) => Object.values(each)),
  ...Object.values(roles).flatMap((each) => Object.values(each)),
  getWebhookCallback,
  pingWebhook,
  listWebhookEvents,
  listMoreWebhookEvents,
  ...Object.values(runs),
];
