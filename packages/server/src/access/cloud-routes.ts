import { cloud } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { readForm } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { AccessContext } from './access-context.ts';
import { parseBasic } from './basic-credentials.ts';
import { signInClient } from './sign-in-manager.ts';

const bearerAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The built-in issuer: what it is, its keys, and where service principals sign in (acr-api 7.2, 7.10). */
export function cloudRoutes(context: AccessContext): readonly Route[] {
  const configuration = (authority: (request: RouteRequest) => Authority) => (request: RouteRequest) =>
    Promise.resolve(discovery(request.origin, authority(request)));
  const signIn = (issuer: (request: RouteRequest) => string) => (request: RouteRequest) =>
    grantToken(context, request, issuer(request));
  return [
    { operation: cloud.getAuthority, handle: configuration(adfs) },
    { operation: cloud.getAuthorityOfTenant, handle: configuration(adfs) },
    { operation: cloud.getTenantAuthority, handle: configuration((request) => ofTenant(context, request)) },
    { operation: cloud.getSigningKeys, handle: async () => ({ status: 200, body: { json: { keys: context.jws.publicKeys } } }) },
    { operation: cloud.signInAdfs, handle: signIn(({ origin }) => `${origin}/adfs`) },
    { operation: cloud.signInTenantV2, handle: signIn((request) => ofTenant(context, request).issuer) },
    { operation: cloud.signInTenantV1, handle: signIn((request) => ofTenant(context, request).issuer) },
  ];
}

interface Authority {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string;
}

function adfs({ origin }: RouteRequest): Authority {
  return {
    issuer: `${origin}/adfs`,
    tokenEndpoint: `${origin}/adfs/oauth2/token`,
    authorizationEndpoint: `${origin}/adfs/oauth2/authorize`,
  };
}

/** @throws NOT_FOUND */
function ofTenant({ tenantId }: AccessContext, { params, origin }: RouteRequest): Authority {
  const tenant = (params['tenant'] ?? '').toLowerCase();
  if (![tenantId, 'common', 'organizations', 'adfs'].includes(tenant))
    throw new RegistryError('NOT_FOUND', { message: `there is no tenant ${tenant.slice(0, 64)}` });
  return {
    issuer: `${origin}/${tenantId}/v2.0`,
    tokenEndpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
    authorizationEndpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
  };
}

function discovery(origin: string, { issuer, tokenEndpoint, authorizationEndpoint }: Authority): Reply {
  const json = {
    issuer,
    authorization_endpoint: authorizationEndpoint,
    token_endpoint: tokenEndpoint,
    jwks_uri: `${origin}/adfs/discovery/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['client_credentials'],
    subject_types_supported: ['pairwise'],
    scopes_supported: ['openid'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
  return { status: 200, body: { json } };
}

async function grantToken(context: AccessContext, request: RouteRequest, issuer: string): Promise<Reply> {
  try {
    const form = await readForm(request);
    const grant = form.get('grant_type');
    if (grant !== 'client_credentials')
      throw new OAuthError('unsupported_grant_type', 'grant_type must be client_credentials: service principals sign in here');
    const credentials = credentialsOf(form, request.headers['authorization']);
    const owner = await signInClient(context, credentials);
    request.note({ identity: owner.username });
    const audience = audienceOf(form) ?? `${request.origin}/`;
    const { token, claims } = context.managerTokens.issue({ issuer, audience, clientId: credentials.clientId, owner });
    const lifetime = claims.exp - claims.iat;
    const json = {
      token_type: 'Bearer',
      expires_in: lifetime,
      ext_expires_in: lifetime,
      expires_on: claims.exp,
      not_before: claims.nbf,
      resource: audience,
      access_token: token,
    };
    return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
  } catch (error) {
    return asOAuth(error);
  }
}

/** What clients of token endpoints read (RFC 6749, section 5.2). */
class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function asOAuth(error: unknown): Reply {
  if (error instanceof OAuthError)
    return { status: 400, body: { json: { error: error.code, error_description: error.message } } };
  if (!(error instanceof RegistryError) || error.error !== 'UNAUTHORIZED') throw error;
  return {
    status: 401,
    headers: { 'WWW-Authenticate': 'Basic realm="berth"', 'Cache-Control': 'no-store' },
    body: { json: { error: 'invalid_client', error_description: error.message } },
  };
}

function credentialsOf(form: URLSearchParams, authorization: string | undefined): Parameters<typeof signInClient>[1] {
  const basic = parseBasic(authorization);
  const assertion = form.get('client_assertion') ?? undefined;
  if (assertion !== undefined && form.get('client_assertion_type') !== bearerAssertion)
    throw new OAuthError('invalid_request', `client_assertion_type must be ${bearerAssertion}`);
  const clientId = form.get('client_id') ?? basic?.username;
  if (clientId === undefined) throw new OAuthError('invalid_request', 'client_id is missing');
  return { clientId, secret: form.get('client_secret') ?? basic?.password, assertion };
}

/** `scope` is `<audience>/.default`; an audience that ends in a slash makes it two, which are kept (acr-api 7.2). */
function audienceOf(form: URLSearchParams): string | undefined {
  const resource = form.get('resource');
  if (resource !== null && resource !== '') return resource.slice(0, 512);
  const scope = (form.get('scope') ?? '').split(' ').find((each) => each.endsWith('/.default'));
  return scope?.slice(0, 512).replace(/\/\.default$/, '');
}
