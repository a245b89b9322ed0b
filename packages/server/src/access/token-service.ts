import type { Need } from '@berth/api';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { anonymousSubject, requireOwner } from './authenticate.ts';
import { adminPrincipal, anonymousPrincipal } from './principals.ts';
import { type Access, parseScopes, repositoryActions } from './scope.ts';
import type { Credentials } from './sign-in.ts';

/** The literal user name that goes with a refresh token as password (acr-api 2.5). */
export const refreshTokenUser = '00000000-0000-0000-0000-000000000000';

/** Whom a token will stand for. */
export interface Identity {
  readonly principal: Principal;
  readonly subject: string;
  readonly generation: number;
}

/** Who asks for a token. @throws UNAUTHORIZED, TOOMANYREQUESTS */
export async function identify(context: AccessContext, from: { readonly registry: Registry; readonly clientAddress: string }, credentials: Credentials | undefined): Promise<Identity> {
  const { registry, clientAddress } = from;
  if (credentials === undefined) return { principal: anonymousPrincipal(registry), subject: anonymousSubject, generation: 0 };
  if (credentials.username === refreshTokenUser) {
    const claims = context.signer.verify(credentials.password, registry, 'refresh_token');
    const admin = requireOwner(claims, await context.signIn.admin(registry));
    return { principal: adminPrincipal(registry, admin.username), subject: admin.username, generation: admin.generation };
  }
  const admin = await context.signIn.check(registry, credentials, clientAddress);
  return { principal: adminPrincipal(registry, admin.username), subject: admin.username, generation: admin.generation };
}

export interface GrantedTokens {
  readonly access_token: string;
  /** The same, by the name that docker's first clients read. */
  readonly token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

/** A token for what was asked and is allowed; less than asked is no error, the resource will say so (acr-api 2.1). */
export function grantTokens(context: AccessContext, registry: Registry, wanted: { readonly identity: Identity; readonly scopes: readonly string[]; readonly isOffline: boolean }): GrantedTokens {
  const { identity, scopes, isOffline } = wanted;
  const { subject, generation, principal } = identity;
  const access = parseScopes(scopes).flatMap((asked) => allowedPart(principal, asked));
  const { token, claims } = context.signer.issue(registry, { subject, generation, grantType: 'access_token', access });
  const isRefreshable = isOffline && principal.kind !== 'anonymous';
  return {
    access_token: token,
    token,
    expires_in: claims.exp - claims.iat,
    issued_at: new Date(claims.iat * 1000).toISOString(),
    ...(isRefreshable && { refresh_token: context.signer.issue(registry, { subject, generation, grantType: 'refresh_token' }).token }),
  };
}

function allowedPart(principal: Principal, asked: Access): Access[] {
  if (asked.type === 'registry') return principal.permits({ type: 'registry', name: 'catalog', action: '*' }) ? [asked] : [];
  const needs = (action: string): Need[] =>
    repositoryActions.filter((each) => action === '*' || each === action).map((each) => ({ type: 'repository', name: asked.name, action: each }));
  const actions = asked.actions.filter((action) => needs(action).every((need) => principal.permits(need)));
  return actions.length === 0 ? [] : [{ ...asked, actions }];
}
