import { lookup } from 'node:dns/promises';
import { BlockList, type LookupFunction, isIP } from 'node:net';
import { SourceError } from './source-error.ts';

/**
 * Where machines of a cloud get their identities from: link-local addresses and what providers have beside them. Everything else is in
 * order: an agent stands in its operator's network, and the sources may, too (attack 28).
 */
const metadata = new BlockList();
metadata.addSubnet('169.254.0.0', 16, 'ipv4');
for (const address of ['168.63.129.16', '100.100.100.200', '192.0.0.192']) metadata.addAddress(address, 'ipv4');
metadata.addSubnet('fe80::', 10, 'ipv6');
metadata.addSubnet('fd00:ec2::', 32, 'ipv6');
metadata.addSubnet('fd20:ce::', 32, 'ipv6');
/** The same IPv4 addresses, as translators of addresses write them. */
metadata.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
metadata.addSubnet('2002:a9fe::', 32, 'ipv6');
metadata.addSubnet('::169.254.0.0', 112, 'ipv6');

export function isMetadataAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  return family !== 0 && metadata.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/** An address in the URL itself is never looked up, so it is judged here. @throws SourceError */
export function requireHost(hostname: string): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isMetadataAddress(host)) throw refused(host);
}

/** For `net.connect`, which connects to what this hands it and to nothing else: a second lookup cannot say otherwise. */
export const guardedLookup: LookupFunction = (host, options, answer) => {
  addressesOf(host).then(
    (addresses) => {
      const [first] = addresses;
      if (first === undefined) answer(new SourceError(`${host} has no address`), '', 0);
      else if (options.all === true) answer(null, [...addresses]);
      else answer(null, first.address, first.family);
    },
    (error: NodeJS.ErrnoException) => answer(error, '', 0),
  );
};

/** Of programs that connect by themselves: looks where a name leads at this moment. @throws SourceError */
export async function requireResolved(hostname: string): Promise<void> {
  requireHost(hostname);
  // One that cannot be looked up, the program will not find either, and will say so.
  await addressesOf(hostname).catch((error: unknown) => {
    if (error instanceof SourceError) throw error;
  });
}

async function addressesOf(host: string): Promise<readonly { address: string; family: number }[]> {
  const addresses = await lookup(host, { all: true });
  if (addresses.some(({ address }) => isMetadataAddress(address))) throw refused(host);
  return addresses;
}

function refused(host: string): SourceError {
  return new SourceError(`${host} is an address of the agent's own machine or cloud, where no source comes from: name another`);
}
