import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

/** What Azure's clients ask a cloud before they sign in, and how they sign in (acr-api 7.1, 7.2). */

const discovery = { kind: 'public', reason: 'clients read it before they can sign in' } as const;
const signIn = { kind: 'public', reason: 'it is where credentials become tokens; it checks them itself' } as const;
const configuration = Type.Object({
  issuer: Type.String(),
  token_endpoint: Type.String(),
  jwks_uri: Type.String(),
});
const token = Type.Object({
  token_type: Type.String(),
  expires_in: Type.Integer({ description: 'seconds' }),
  access_token: Type.String(),
});
const tenant = Type.Object({
  tenant: Type.String({ description: 'the id of the tenant, or `adfs`, `common`, `organizations`' }),
});
const found = { 200: { description: 'the configuration', schema: configuration } };
const granted = { 200: { description: 'a token', schema: token } };
const refusals = ['UNAUTHORIZED', 'REQUEST_INVALID', 'TOOMANYREQUESTS'] as const;

export const getMetadata = defineOperation({
  id: 'get-cloud-metadata',
  method: 'GET',
  path: '/metadata/endpoints',
  source: 'acr-api 7.1; `az cloud register`',
  permission: discovery,
  summary: 'Tells where the resource manager, the authority and the registries of this cloud are.',
  query: Type.Object({ 'api-version': Type.Optional(Type.String()) }),
  responses: { 200: { description: 'the endpoints', schema: Type.Object({}) } },
  errors: [],
});
export const getAuthority = defineOperation({
  id: 'get-authority',
  method: 'GET',
  path: '/adfs/.well-known/openid-configuration',
  source: 'OpenID Connect Discovery 1.0; acr-api 7.2',
  permission: discovery,
  summary: 'Describes the built-in issuer of tokens, as an ADFS authority.',
  responses: found,
  errors: [],
});
/** MSAL appends the tenant, which is called `adfs`, to the authority once. */
export const getAuthorityOfTenant = defineOperation({
  id: 'get-authority-of-adfs-tenant',
  method: 'GET',
  path: '/adfs/adfs/.well-known/openid-configuration',
  source: 'acr-api 7.10',
  permission: discovery,
  summary: 'The same, where clients append the tenant.',
  responses: found,
  errors: [],
});
export const getTenantAuthority = defineOperation({
  id: 'get-tenant-authority',
  method: 'GET',
  path: '/{tenant}/v2.0/.well-known/openid-configuration',
  source: 'OpenID Connect Discovery 1.0; acr-api 7.2',
  permission: discovery,
  summary: 'Describes the built-in issuer of tokens, as an authority with tenants.',
  params: tenant,
  responses: found,
  errors: ['NOT_FOUND'],
});
export const getSigningKeys = defineOperation({
  id: 'get-signing-keys',
  method: 'GET',
  path: '/adfs/discovery/keys',
  source: 'RFC 7517',
  permission: discovery,
  summary: 'The public keys of the built-in issuer.',
  responses: { 200: { description: 'a key set', schema: Type.Object({ keys: Type.Array(Type.Object({})) }) } },
  errors: [],
});
export const signInAdfs = defineOperation({
  id: 'sign-in-adfs',
  method: 'POST',
  path: '/adfs/oauth2/token',
  source: 'RFC 6749, section 4.4; RFC 7523; acr-api 7.2',
  permission: signIn,
  summary: 'Signs a service principal in, by its secret or by the token of a trusted issuer.',
  body: 'form',
  responses: granted,
  errors: refusals,
});
export const signInTenantV2 = defineOperation({
  id: 'sign-in-tenant-v2',
  method: 'POST',
  path: '/{tenant}/oauth2/v2.0/token',
  source: 'RFC 6749, section 4.4; RFC 7523; acr-api 7.2',
  permission: signIn,
  summary: 'The same, at an authority with tenants.',
  params: tenant,
  body: 'form',
  responses: granted,
  errors: refusals,
});
export const signInTenantV1 = defineOperation({
  id: 'sign-in-tenant-v1',
  method: 'POST',
  path: '/{tenant}/oauth2/token',
  source: 'RFC 6749, section 4.4; RFC 7523; acr-api 7.2',
  permission: signIn,
  summary: 'The same, where clients name a resource instead of a scope.',
  params: tenant,
  body: 'form',
  responses: granted,
  errors: refusals,
});
