import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

/** The directory: identities, what they sign in with, what they may; and the issuers whose tokens are read. */

const deployment = { kind: 'deployment' } as const;
const inDirectory = { source: 'Berth', permission: deployment } as const;

const identityParam = { identity: Type.String({ description: 'name, client id or object id' }) };

const identity = Type.Object({
  id: Type.String({ description: 'object id' }),
  clientId: Type.String(),
  name: Type.String(),
  isEnabled: Type.Boolean(),
  createdAt: Type.String(),
});
const secret = Type.Object({
  id: Type.String(),
  createdAt: Type.String(),
  expiresAt: Type.Union([Type.String(), Type.Null()]),
});
/** `claims`: by claim, the pattern that its value must match. */
const rule = {
  issuer: Type.String({ minLength: 1, maxLength: 512 }),
  audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 })),
  claims: Type.Object({}, { additionalProperties: { type: 'string', maxLength: 512 } }),
};
const credential = Type.Object({ name: Type.String(), ...rule, createdAt: Type.String() });
const assignment = Type.Object({
  id: Type.String(),
  role: Type.String({ description: 'name' }),
  roleId: Type.String(),
  scope: Type.String({ description: 'a resource id in lower case' }),
  condition: Type.Union([Type.String(), Type.Null()]),
  createdAt: Type.String(),
});
const issuer = Type.Object({
  issuer: Type.String(),
  hasKeys: Type.Boolean(),
  createdAt: Type.String(),
});

const page = Type.Object({
  n: Type.Optional(Type.String({ description: 'how many entries at the most' })),
  last: Type.Optional(Type.String({ description: 'the page begins after this entry' })),
});

export const createIdentity = defineOperation({
  id: 'create-identity',
  method: 'POST',
  path: '/berth/v1/identities',
  ...inDirectory,
  summary: 'Makes an identity, which can do nothing yet.',
  body: Type.Object({ name: Type.String({ maxLength: 64 }) }, { additionalProperties: false }),
  responses: { 201: { description: 'made', schema: identity } },
  errors: ['INVALID_PARAMETER', 'NAME_IN_USE'],
});
export const listIdentities = defineOperation({
  id: 'list-identities',
  method: 'GET',
  path: '/berth/v1/identities',
  ...inDirectory,
  summary: 'Lists the identities by name.',
  query: page,
  responses: { 200: { description: 'a page', headers: ['Link'], schema: Type.Object({ identities: Type.Array(identity) }) } },
  errors: ['PAGINATION_NUMBER_INVALID'],
});
export const getIdentity = defineOperation({
  id: 'get-identity',
  method: 'GET',
  path: '/berth/v1/identities/{identity}',
  ...inDirectory,
  summary: 'Tells what an identity signs in with and what it may; no secret is shown.',
  params: Type.Object(identityParam),
  responses: {
    200: {
      description: 'the identity',
      schema: Type.Object({
        ...identity.properties,
        secrets: Type.Array(secret),
        federatedCredentials: Type.Array(credential),
        roles: Type.Array(assignment),
      }),
    },
  },
  errors: ['NOT_FOUND'],
});
export const updateIdentity = defineOperation({
  id: 'update-identity',
  method: 'PATCH',
  path: '/berth/v1/identities/{identity}',
  ...inDirectory,
  summary: 'Disables an identity, whose sessions end at once, or enables it again.',
  params: Type.Object(identityParam),
  body: Type.Object({ isEnabled: Type.Boolean() }, { additionalProperties: false }),
  responses: { 200: { description: 'the identity', schema: identity } },
  errors: ['NOT_FOUND'],
});
export const deleteIdentity = defineOperation({
  id: 'delete-identity',
  method: 'DELETE',
  path: '/berth/v1/identities/{identity}',
  ...inDirectory,
  summary: 'Deletes an identity with its secrets, federated credentials and roles.',
  params: Type.Object(identityParam),
  responses: { 204: { description: 'gone' } },
  errors: ['NOT_FOUND', 'CONFLICT'],
});

export const addSecret = defineOperation({
  id: 'add-secret',
  method: 'POST',
  path: '/berth/v1/identities/{identity}/secrets',
  ...inDirectory,
  summary: 'Makes a client secret of 256 random bits; the others go on.',
  params: Type.Object(identityParam),
  body: Type.Object(
    { expiresAt: Type.Optional(Type.String({ description: 'RFC 3339; without it, the secret does not expire' })) },
    { additionalProperties: false },
  ),
  responses: {
    201: { description: 'the secret, shown once', schema: Type.Object({ ...secret.properties, value: Type.String() }) },
  },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'CONFLICT'],
});
export const listSecrets = defineOperation({
  id: 'list-secrets',
  method: 'GET',
  path: '/berth/v1/identities/{identity}/secrets',
  ...inDirectory,
  summary: 'Lists the secrets of an identity without their values.',
  params: Type.Object(identityParam),
  responses: { 200: { description: 'all of them', schema: Type.Object({ secrets: Type.Array(secret) }) } },
  errors: ['NOT_FOUND'],
});
export const deleteSecret = defineOperation({
  id: 'delete-secret',
  method: 'DELETE',
  path: '/berth/v1/identities/{identity}/secrets/{secret}',
  ...inDirectory,
  summary: 'Deletes a secret; what was signed in with it ends.',
  params: Type.Object({ ...identityParam, secret: Type.String({ description: 'its id' }) }),
  responses: { 204: { description: 'gone' } },
  errors: ['NOT_FOUND'],
});

const credentialParams = Type.Object({ ...identityParam, credential: Type.String({ description: 'its name' }) });
export const putFederatedCredential = defineOperation({
  id: 'put-federated-credential',
  method: 'PUT',
  path: '/berth/v1/identities/{identity}/federated-credentials/{credential}',
  ...inDirectory,
  summary:
    'Lets tokens of a trusted issuer that match a rule sign in as the identity; a changed rule ends what was signed in by the one before.',
  params: credentialParams,
  body: Type.Object(rule, { additionalProperties: false }),
  responses: { 200: { description: 'the credential', schema: credential } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'CONFLICT'],
});
export const getFederatedCredential = defineOperation({
  id: 'get-federated-credential',
  method: 'GET',
  path: '/berth/v1/identities/{identity}/federated-credentials/{credential}',
  ...inDirectory,
  summary: 'Shows the rule of a federated credential.',
  params: credentialParams,
  responses: { 200: { description: 'the credential', schema: credential } },
  errors: ['NOT_FOUND'],
});
export const deleteFederatedCredential = defineOperation({
  id: 'delete-federated-credential',
  method: 'DELETE',
  path: '/berth/v1/identities/{identity}/federated-credentials/{credential}',
  ...inDirectory,
  summary: 'Deletes a federated credential; what was signed in by it ends.',
  params: credentialParams,
  responses: { 204: { description: 'gone' } },
  errors: ['NOT_FOUND'],
});

const assignmentParams = Type.Object({ ...identityParam, assignment: Type.String({ description: 'a GUID' }) });
export const putRole = defineOperation({
  id: 'put-role',
  method: 'PUT',
  path: '/berth/v1/identities/{identity}/roles/{assignment}',
  ...inDirectory,
  summary: 'Gives an identity a role on the deployment, a registry or a repository.',
  params: assignmentParams,
  body: Type.Object(
    {
      role: Type.String({ description: 'name or GUID', maxLength: 200 }),
      scope: Type.String({
        description: '`deployment`, `registry:NAME`, `registry:NAME/repository` or a resource id',
        maxLength: 1024,
      }),
      condition: Type.Optional(Type.String({ maxLength: 8192 })),
    },
    { additionalProperties: false },
  ),
  responses: { 200: { description: 'the assignment', schema: assignment } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'CONFLICT'],
});
export const listRoles = defineOperation({
  id: 'list-roles',
  method: 'GET',
  path: '/berth/v1/identities/{identity}/roles',
  ...inDirectory,
  summary: 'Lists the roles of an identity.',
  params: Type.Object(identityParam),
  responses: { 200: { description: 'all of them', schema: Type.Object({ roles: Type.Array(assignment) }) } },
  errors: ['NOT_FOUND'],
});
export const deleteRole = defineOperation({
  id: 'delete-role',
  method: 'DELETE',
  path: '/berth/v1/identities/{identity}/roles/{assignment}',
  ...inDirectory,
  summary: 'Takes a role away.',
  params: assignmentParams,
  responses: { 204: { description: 'gone' } },
  errors: ['NOT_FOUND'],
});

export const addIssuer = defineOperation({
  id: 'add-issuer',
  method: 'POST',
  path: '/berth/v1/issuers',
  ...inDirectory,
  summary:
    'Trusts an issuer of tokens, with its keys if it cannot be asked for them; nobody signs in before an identity has a rule for it.',
  body: Type.Object(
    {
      issuer: Type.String({ minLength: 1, maxLength: 512 }),
      jwks: Type.Optional(Type.Object({ keys: Type.Array(Type.Object({})) })),
    },
    { additionalProperties: false },
  ),
  responses: { 200: { description: 'trusted', schema: issuer } },
  errors: ['INVALID_PARAMETER', 'CONFLICT'],
});
export const listIssuers = defineOperation({
  id: 'list-issuers',
  method: 'GET',
  path: '/berth/v1/issuers',
  ...inDirectory,
  summary: 'Lists the trusted issuers.',
  responses: { 200: { description: 'all of them', schema: Type.Object({ issuers: Type.Array(issuer) }) } },
  errors: [],
});
export const removeIssuer = defineOperation({
  id: 'remove-issuer',
  method: 'DELETE',
  path: '/berth/v1/issuers',
  ...inDirectory,
  summary: 'Trusts an issuer no more; rules for it stay and let nobody in.',
  query: Type.Object({ issuer: Type.String() }),
  responses: { 204: { description: 'gone' } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER'],
});
