import { access as operations, upkeep } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { readForm, readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { AccessContext } from './access-context.ts';
import { exchangeToken } from './exchange-token.ts';
import { parseBasic } from './basic-credentials.ts';
import { regeneratePassword } from './regenerate-password.ts';
import type { Credentials } from './sign-in.ts';
import { tokenUser } from './token-owner.ts';
import { type Identity, grantTokens, identify } from './token-service.ts';

export function accessRoutes(context: AccessContext): readonly Route[] {
  return [
    { operation: operations.getToken, handle: (request) => getToken(context, request) },
    { operation: operations.postToken, handle: (request) => postToken(context, request) },
    { operation: operations.exchange, handle: (request) => exchange(context, request) },
    { operation: upkeep.regeneratePassword, handle: (request) => regenerate(context, request) },
    { operation: upkeep.rotateKeys, handle: (request) => rotateKeys(context, request) },
  ];
}

/** Docker's form: Basic credentials, or none for what anybody may pull. */
async function getToken(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const { authorization } = request.headers;
  const credentials = parseBasic(authorization);
  if (authorization !== undefined && credentials === undefined)
    throw new RegistryError('UNAUTHORIZED', { message: 'a token is asked for with Basic credentials or none' });
  const identity = await identify(context, request, credentials);
  // `offline_token` is ignored, as ACR does (acr-api 2.1): docker would keep the refresh token in the place of the password
  // and be signed out when it lapses.
  return tokens(context, request, { identity, scopes: request.query.getAll('scope'), isOffline: false });
}

/** The form of OAuth 2, which docker, containerd and the Azure clients use. */
async function postToken(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const form = await readForm(request);
  const identity = await identify(context, request, credentialsOf(form));
  const isOffline = form.get('grant_type') === 'password' && form.get('access_type') === 'offline';
  return tokens(context, request, { identity, scopes: form.getAll('scope'), isOffline });
}

/** ACR's form: a token of an issuer, for a refresh token of this registry (acr-api 2.1). @throws REQUEST_INVALID, UNAUTHORIZED */
async function exchange(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const form = await readForm(request);
  const grants = ['access_token', 'access_token_refresh_token'];
  if (!grants.includes(form.get('grant_type') ?? ''))
    throw new RegistryError('REQUEST_INVALID', { message: 'grant_type must be access_token' });
  const wanted = { accessToken: form.get('access_token') ?? '', tenant: form.get('tenant') ?? undefined };
  const { token, identity } = await exchangeToken(context, request.registry, wanted);
  request.note({ identity });
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: { refresh_token: token } } };
}

/** @throws REQUEST_INVALID */
function credentialsOf(form: URLSearchParams): Credentials | undefined {
  const field = (name: string): string => form.get(name) ?? '';
  const grant = form.get('grant_type');
  if (grant === 'refresh_token') return { username: tokenUser, password: field('refresh_token') };
  if (grant !== 'password')
    throw new RegistryError('REQUEST_INVALID', { message: 'grant_type must be password or refresh_token' });
  const [username, password] = [field('username'), field('password')];
  // ACR's JavaScript client asks for an anonymous token with an empty credential (acr-api 2.1).
  return username === '' && password === '' ? undefined : { username, password };
}

function tokens(
  context: AccessContext,
  request: RouteRequest,
  wanted: { readonly identity: Identity; readonly scopes: readonly string[]; readonly isOffline: boolean },
): Reply {
  request.note({ identity: wanted.identity.principal.name });
  const granted = grantTokens(context, request.registry, wanted);
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: granted } };
}

async function regenerate(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const slot = request.params['slot'];
  if (slot !== 'password' && slot !== 'password2')
    throw new RegistryError('NOT_FOUND', { message: 'the admin user has the passwords "password" and "password2"' });
  const value = await regeneratePassword(context, request.registry, slot);
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json: { ...value, name: slot } } };
}

async function rotateKeys(context: AccessContext, request: RouteRequest): Promise<Reply> {
  const body = await readJson(request, upkeep.rotateKeys.body);
  if (body.key === 'wrapping')
    return { status: 200, body: { json: { key: 'wrapping', ...(await context.keys.rotateWrappingKey()) } } };
  const key = await context.keys.addDataKey(request.registry.id);
  return { status: 200, body: { json: { key: 'data', id: key.id, rewrapped: 0 } } };
}
