import { RegistryError } from '../errors/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import type { SignedIn, SignedInIdentities } from './signed-in.ts';
import { refused } from './token-signer.ts';

/** The literal user name that goes with a token as password (acr-api 2.5). No registry can have it as its name. */
export const tokenUser = '00000000-0000-0000-0000-000000000000';

/**
 * Whom a token in the place of a password stands for: a refresh token of this registry, or what could be exchanged for
 * one. So a job signs in to docker with the token of its issuer, and nothing is stored. @throws UNAUTHORIZED
 */
export async function ownerOfToken(context: AccessContext, registry: Registry, token: string): Promise<SignedIn> {
  if (!context.signer.isOne(token, registry)) return context.signInFederated(token, undefined);
  if (context.managerTokens.isOne(token)) return ownerOfManagerToken(context, registry, token);
  const { owner } = context.signer.verify(token, registry, 'refresh_token');
  if (owner === undefined) throw new RegistryError('UNAUTHORIZED', { message: 'the refresh token stands for nobody' });
  return owner;
}

/** @throws UNAUTHORIZED when the registry does not take tokens of the resource manager */
export function ownerOfManagerToken(context: AccessContext, registry: Registry, token: string): SignedInIdentities {
  const { berth } = context.managerTokens.verify(token);
  if (berth.use === 'management' && !registry.policies.areManagementTokensExchangeable)
    throw refused(
      'this registry takes only tokens with the audience of a registry (azureADAuthenticationAsArmPolicy is disabled)',
    );
  return berth.owner;
}
