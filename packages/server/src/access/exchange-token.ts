import { RegistryError } from '../errors/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { requireStanding } from './authenticate.ts';
import { ownerOfManagerToken } from './token-owner.ts';

/** What ACR gives `az acr login` (acr-api 2.4). */
const lifetimeSeconds = 3 * 60 * 60;

/**
 * A refresh token of a registry for a token of the built-in issuer, or of one that is trusted (acr-api 2.1). Whoever
 * signs in so may less later, when the roles change: they are asked with every request, and not written into it.
 * @throws UNAUTHORIZED
 */
export async function exchangeToken(
  context: AccessContext,
  registry: Registry,
  { accessToken, tenant }: { readonly accessToken: string; readonly tenant: string | undefined },
): Promise<{ readonly token: string; readonly identity: string }> {
  const isOurs = context.jws.open(accessToken) !== undefined;
  // The tenant of another issuer's token is its own affair; ours must be named rightly, if at all (attack 20).
  if (isOurs) requireTenant(tenant, context.tenantId);
  const owner = isOurs
    ? ownerOfManagerToken(context, registry, accessToken)
    : await context.signInFederated(accessToken, undefined);
  requireStanding(await context.accounts.principalOf(registry, owner));
  const claims = {
    tenant: context.tenantId,
    // acr-cli tells the role mode by this claim (acr-api 2.4).
    ...(registry.roleMode === 'AbacRepositoryPermissions' && { aad_identity: owner.identities[0]?.id ?? '' }),
  };
  const { token } = context.signer.issue(registry, { owner, grantType: 'refresh_token', lifetimeSeconds, claims });
  return { token, identity: owner.username };
}

/** Clients name the tenant by its id or, as an ADFS authority has no tenants, by the word `adfs`. */
function requireTenant(named: string | undefined, tenantId: string): void {
  if (named === undefined || named === '' || [tenantId, 'adfs', 'common', 'organizations'].includes(named.toLowerCase())) return;
  throw new RegistryError('UNAUTHORIZED', {
    message: `the token does not belong to the tenant ${JSON.stringify(named.slice(0, 64))}`,
  });
}
