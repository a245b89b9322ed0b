import type { Need } from '@berth/api';
import type { Registry } from '../tenancy/index.ts';
import { scopeText } from './scope.ts';

export type ChallengeError = 'insufficient_scope' | 'invalid_token';

/**
 * The text of `WWW-Authenticate` (acr-api 2.2): one Bearer challenge, no spaces between the parameters, because the
 * Azure CLI splits it there. Everything in it is ours or was checked against a grammar without quotes.
 */
export function challenge(registry: Registry, origin: string, needs: readonly Need[], error?: ChallengeError): string {
  const scope = scopeText(needs);
  const parts = [`realm="${origin}/oauth2/token"`, `service="${registry.loginServer}"`];
  if (scope !== undefined) parts.push(`scope="${scope}"`);
  if (error !== undefined) parts.push(`error="${error}"`);
  return `Bearer ${parts.join(',')}`;
}
