import { RegistryError } from '../errors/index.ts';
import { type Fields, invalid } from '../resources/index.ts';

/**
 * What clients may ask of ACR and Berth does not have. Refused with the reason: a setting that is taken and does nothing
 * would be believed. @throws FEATURE_NOT_SUPPORTED, INVALID_PARAMETER
 */
export function refuseWhatIsMissing(body: Fields): void {
  const identity = body
    .object('identity')
    .oneOf('type', ['None', 'SystemAssigned', 'UserAssigned', 'SystemAssigned, UserAssigned', 'SystemAssigned,UserAssigned']);
  if (identity !== undefined && identity !== 'None')
    throw missing(
      'identity',
      'managed identities belong to a cloud; trust an issuer instead (docs/guides/ci-without-secrets.md)',
    );
  const properties = body.object('properties');
  if (properties.object('encryption').oneOf('status', ['enabled', 'disabled']) === 'enabled')
    throw missing(
      'properties.encryption',
      'everything is encrypted with keys of the deployment already; keys of a vault cannot be used',
    );
  const trust = properties.object('policies').object('trustPolicy').oneOf('status', ['enabled', 'disabled']);
  if (trust === 'enabled')
    throw missing(
      'properties.policies.trustPolicy',
      'Docker Content Trust has ended; sign with notation or cosign, whose signatures are kept beside images',
    );
  const networks = properties.object('networkRuleSet').list('virtualNetworkRules', 1000) ?? [];
  if (networks.length > 0)
    throw invalid(
      'properties.networkRuleSet.virtualNetworkRules',
      'must be empty: there are no virtual networks here; use ipRules with the addresses of your network',
    );
}

function missing(target: string, reason: string): RegistryError {
  return new RegistryError('FEATURE_NOT_SUPPORTED', { message: `${target} cannot be set: ${reason}`, target });
}
