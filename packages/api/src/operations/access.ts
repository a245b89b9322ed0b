import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';

const token = Type.Object({
  access_token: Type.String(),
  token: Type.String(),
  expires_in: Type.Integer({ description: 'seconds' }),
  issued_at: Type.String(),
  refresh_token: Type.Optional(Type.String()),
});

export const getToken = defineOperation({
  id: 'get-token',
  method: 'GET',
  path: '/oauth2/token',
  source: 'ACR GET /oauth2/token',
  permission: { kind: 'public', reason: 'it is where credentials become tokens; it checks them itself' },
  summary: 'Exchanges Basic credentials (or none, for anonymous pull) for an access token.',
  query: Type.Object({
    service: Type.Optional(Type.String()),
    scope: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  }),
  responses: { 200: { description: 'a token', schema: token } },
  errors: ['UNAUTHORIZED', 'TOOMANYREQUESTS'],
});
export const postToken = defineOperation({
  id: 'post-token',
  method: 'POST',
  path: '/oauth2/token',
  source: 'ACR POST /oauth2/token',
  permission: { kind: 'public', reason: 'it is where credentials become tokens; it checks them itself' },
  summary: 'Exchanges a password or a refresh token for an access token.',
  body: 'form',
  responses: { 200: { description: 'a token', schema: token } },
  errors: ['UNAUTHORIZED', 'TOOMANYREQUESTS', 'REQUEST_INVALID'],
});
export const exchange = defineOperation({
  id: 'exchange-token',
  method: 'POST',
  path: '/oauth2/exchange',
  source: 'ACR POST /oauth2/exchange',
  permission: { kind: 'public', reason: 'it is where tokens of an issuer become tokens of a registry; it checks them itself' },
  summary: 'Exchanges a token of the built-in issuer, or of a trusted one, for a refresh token of the registry.',
  body: 'form',
  responses: { 200: { description: 'a refresh token', schema: Type.Object({ refresh_token: Type.String() }) } },
  errors: ['UNAUTHORIZED', 'TOOMANYREQUESTS', 'REQUEST_INVALID'],
});
