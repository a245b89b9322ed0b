import { RegistryError } from '../errors/index.ts';
import { parseNetwork } from '../platform/networks.ts';
import type { NetworkRuleSet } from './model.ts';

/**
 * The value of a network rule: an address or a network, IPv4 or IPv6, private ranges too: a registry of one's own has its
 * clients there. @throws INVALID_PARAMETER
 */
export function requireNetwork(text: string, target: string): string {
  if (parseNetwork(text) !== undefined) return text;
  throw new RegistryError('INVALID_PARAMETER', {
    message: `"${text.slice(0, 80)}" is neither an address nor a network such as 203.0.113.0/24 or 2001:db8::/32`,
    target,
  });
}

/** How many rules a plan allows is asked with `requireRoomFor`. @throws INVALID_PARAMETER naming the rule */
export function requireNetworkRules({ ipRules = [] }: NetworkRuleSet): void {
  for (const [index, { value }] of ipRules.entries()) requireNetwork(value, `properties.networkRuleSet.ipRules[${index}].value`);
}
