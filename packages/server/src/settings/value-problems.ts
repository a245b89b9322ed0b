import { isIP } from 'node:net';
import { parseNetwork } from '../platform/networks.ts';
import { AllowList } from '../platform/outbound/allow-list.ts';

/** What is wrong with a value, as it goes on after its name; undefined when nothing is. */

/** RFC 3986 host with optional port; nothing that could break out of a header. */
const hostWithPort = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

export function loginServerProblem(text: string): string | undefined {
  return hostWithPort.test(text.replace(/^https?:\/\//, ''))
    ? undefined
    : 'must be HOST or HOST:PORT, with http:// or https:// before it if need be';
}

export function hostProblem(text: string): string | undefined {
  return isIP(text) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text)
    ? undefined
    : 'must be an address or a host name of this machine';
}

export function regionProblem(text: string): string | undefined {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? undefined : 'must be lower-case letters, digits and hyphens';
}

export function databaseProblem(text: string): string | undefined {
  return /^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text)
    ? undefined
    : 'must be a URL such as postgres://user:password@host:5432/database';
}

export function blobStoreProblem(text: string): string | undefined {
  return text === 'memory:' || /^file:./.test(text) ? undefined : 'must be file:FOLDER or memory:';
}

export function networksProblem(text: string): string | undefined {
  for (const entry of text.split(',').map((each) => each.trim())) {
    if (entry !== '' && parseNetwork(entry) === undefined)
      return `names "${entry}", which is neither an address nor a network such as 10.0.0.0/8`;
  }
  return undefined;
}

export function outboundProblem(text: string): string | undefined {
  return AllowList.problemOf(
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
}

export function authorityProblem(text: string): string | undefined {
  return /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)
    ? undefined
    : 'must be an address such as https://login.microsoftonline.com';
}

/** `west=https://west.example`, one for each region. */
export function peersProblem(text: string): string | undefined {
  const names = new Set<string>();
  for (const entry of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name = '', address = ''] = /^\s*([a-z0-9][a-z0-9-]{0,62})=(\S+)\s*$/i.exec(entry) ?? [];
    if (name === '') return `has ${JSON.stringify(entry.slice(0, 64))}, which is not NAME=ADDRESS`;
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol)) return `has no address that begins with http:// or https:// for ${name}`;
    if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '')
      return `has more than a host and a port in the address of ${name}`;
    if (names.has(name.toLowerCase())) return `names ${name} twice`;
    names.add(name.toLowerCase());
  }
  return undefined;
}

/** `west=10.1.0.0/16`. */
export function regionNetworksProblem(text: string): string | undefined {
  for (const entry of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name, network = ''] = /^\s*([a-z0-9][a-z0-9-]{0,62})=(\S+)\s*$/i.exec(entry) ?? [];
    if (name === undefined || parseNetwork(network) === undefined)
      return `has ${JSON.stringify(entry.slice(0, 64))}, which is not REGION=NETWORK such as west=10.1.0.0/16`;
  }
  return undefined;
}
