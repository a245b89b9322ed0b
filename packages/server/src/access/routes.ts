import { access as operations, upkeep } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { readForm, readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { AccessContext } from './access-context.ts';
import { parseBasic } from './authenticate.ts';
import { regeneratePassword } from './regenerate-password.ts';
import { type Identity, grantTokens, identify, refreshTokenUser } from './token-service.ts';

export function accessRoutes(context: AccessContext): readonly Route[] {
  return [
    { operation: operations.getToken, handle: (request) => getToken(context, request) },
    { operation: operations.postToken, handle: (request) => postToken(context, request) },
    { operation: upkeep.regeneratePassword, handle: (request) => regenerate(context, request) },
    { operation: upkeep.rotateKeys, handle: (request) => rotateKeys(context, request) },
  ];
}

/** Docker's form: Basic credentials, or none for what anybody may pull. */
async function getToken(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const { authorization } = request.headers;
  const credentials = parseBasic(authorization);
  if (authorization !== undefined && credentials === undefined) throw new RegistryError('UNAUTHORIZED', { message: 'a token is asked for with Basic credentials or none' });
  const identity = await identify(context, request, credentials);
  const isOffline = request.query.get('offline_token') === 'true';
  return tokens(context, request, identity, request.query.getAll('scope'), isOffline);
}

async function postToken(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const form = await readForm(request);
  const scopes = form.getAll('scope');
  const grant = form.get('grant_type');
  if (grant === 'refresh_token') {
    const refreshToken = form.get('refresh_token') ?? '';
    const identity = await identify(context, request, { username: refreshTokenUser, password: refreshToken });
    return tokens(context, request, identity, scopes, false);
  }
  if (grant !== 'password') throw new RegistryError('REQUEST_INVALID', { message: 'grant_type must be password or refresh_token' });
  const username = form.get('username') ?? '';
  const password = form.get('password') ?? '';
  // ACR's JavaScript client asks for an anonymous token with an empty credential (acr-api 2.1).
  const identity = await identify(context, request, username === '' && password === '' ? undefined : { username, password });
  return tokens(context, request, identity, scopes, form.get('access_type') === 'offline');
}

function tokens(context: AccessContext, request: RouteRequest, identity: Identity, scopes: readonly string[], isOffline: boolean): Reply {
  const granted = grantTokens(context, request.registry, { identity, scopes, isOffline });
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: granted } };
}

async function regenerate(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const slot = request.params['slot'];
  if (slot !== 'password' && slot !== 'password2') throw new RegistryError('NOT_FOUND', { message: 'the admin user has the passwords "password" and "password2"' });
  const value = await regeneratePassword(context, request.registry, slot);
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: { ...value, name: slot } } };
}

async function rotateKeys(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const body = await readJson(request, upkeep.rotateKeys.body);
  if (body.key === 'wrapping') return { status: 200, body: { json: { key: 'wrapping', ...(await context.keys.rotateWrappingKey()) } } };
  const key = await context.keys.addDataKey(request.registry.id);
  return { status: 200, body: { json: { key: 'data', id: key.id, rewrapped: 0 } } };
}
