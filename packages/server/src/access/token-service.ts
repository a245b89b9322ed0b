import { type Need, type RepositoryAction } from '@berth/api';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { requireStanding } from './authenticate.ts';
import { anonymousPrincipal } from './principals.ts';
import { type Access, parseScopes, repositoryActions } from './scope.ts';
import type { Credentials } from './sign-in.ts';
import type { SignedIn } from './signed-in.ts';
import { ownerOfToken, tokenUser } from './token-owner.ts';

/** Rights in a token, as JSON: with them it stays below what proxies and we take as a header. */
const maxAccessLength = 5 * 1024;

/** Whom a token will stand for; nobody without an owner. */
export interface Identity {
  readonly principal: Principal;
  readonly owner: SignedIn | undefined;
}

/** Who asks for a token. @throws UNAUTHORIZED, TOOMANYREQUESTS */
export async function identify(
  context: AccessContext,
  from: { readonly registry: Registry; readonly clientAddress: string },
  credentials: Credentials | undefined,
): Promise<Identity> {
  const { registry, clientAddress } = from;
  if (credentials === undefined) return { principal: anonymousPrincipal(registry), owner: undefined };
  const owner =
    credentials.username === tokenUser
      ? await ownerOfToken(context, registry, credentials.password)
      : await context.signIn.check(registry, credentials, clientAddress);
  return { principal: requireStanding(await context.accounts.principalOf(registry, owner)), owner };
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
export function grantTokens(
  { signer }: AccessContext,
  registry: Registry,
  wanted: { readonly identity: Identity; readonly scopes: readonly string[]; readonly isOffline: boolean },
): GrantedTokens {
  const { owner, principal } = wanted.identity;
  const access = thatFit(parseScopes(wanted.scopes).flatMap((asked) => allowedPart(principal, asked)));
  const { token, claims } = signer.issue(registry, { owner, grantType: 'access_token', access });
  const isRefreshable = wanted.isOffline && owner !== undefined;
  return {
    access_token: token,
    token,
    expires_in: claims.exp - claims.iat,
    issued_at: new Date(claims.iat * 1000).toISOString(),
    ...(isRefreshable && { refresh_token: signer.issue(registry, { owner, grantType: 'refresh_token' }).token }),
  };
}

/**
 * The part of a scope that goes into a token. A wildcard asks for what the principal may with every repository: whoever
 * may only some of them gets them by their names, or nothing.
 */
function allowedPart(principal: Principal, { type, name, actions }: Access): Access[] {
  if (type === 'registry') {
    const catalog = name === 'catalog' ? 'catalog' : 'deleted_catalog';
    return principal.permits({ type: 'registry', name: catalog, action: '*' }) ? [{ type, name, actions }] : [];
  }
  // Whoever may this for some repositories only asks for them by name: a wildcard is dropped without a word (acr-api 2.3).
  const need = (action: RepositoryAction): Need => ({ type: 'repository', name, action });
  const allowed = repositoryActions.filter((action) => principal.permits(need(action)));
  // All actions, for whoever may all; otherwise those of them that are allowed.
  const isAll = actions.includes('*') && allowed.length === repositoryActions.length;
  const granted = isAll ? ['*'] : allowed.filter((action) => actions.includes('*') || actions.includes(action));
  return granted.length === 0 ? [] : [{ type, name, actions: granted }];
}

function thatFit(access: readonly Access[]): Access[] {
  let length = 0;
  return access.filter((each) => {
    length += JSON.stringify(each).length;
    return length <= maxAccessLength;
  });
}
