import { BlockList, isIP, isIPv6 } from 'node:net';

type Family = 'ipv4' | 'ipv6';

/** An address or a network in CIDR notation. */
export interface Network {
  readonly address: string;
  readonly family: Family;
  /** Undefined: the one address. */
  readonly prefix: number | undefined;
}

/** Takes `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`; bits beyond the prefix are ignored. Undefined: it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  // A zone names an interface of one machine, and says nothing about a client.
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return undefined;
  const family = familyOf(address);
  if (prefix === undefined) return { address, family, prefix };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > (family === 'ipv4' ? 32 : 128)) return undefined;
  return { address, family, prefix: Number(prefix) };
}

export function listOfNetworks(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix, family } of networks) {
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, prefix, family);
  }
  return list;
}

/** False for what is no address. */
export function isListed(list: BlockList, address: string): boolean {
  const [plain = ''] = address.split('%', 1);
  return isIP(plain) !== 0 && list.check(plain, familyOf(plain));
}

function familyOf(address: string): Family {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
