import type { BlockList } from 'node:net';
import { isListed, listOfNetworks, parseNetwork } from '../networks.ts';

const hostPattern = /^[a-z0-9](?:[a-z0-9_.-]{0,251}[a-z0-9])?$/;

/** Networks and host names that the operator opens to requests of users. */
export class AllowList {
  readonly #networks: BlockList;
  readonly #hosts: ReadonlySet<string>;

  constructor(entries: readonly string[]) {
    this.#networks = listOfNetworks(entries.flatMap((entry) => parseNetwork(entry) ?? []));
    this.#hosts = new Set(entries.filter((entry) => parseNetwork(entry) === undefined).map((entry) => entry.toLowerCase()));
  }

  /** What is wrong with the text of such a list, to stand after its name. */
  static problemOf(entries: readonly string[]): string | undefined {
    const wrong = entries.find((entry) => parseNetwork(entry) === undefined && !hostPattern.test(entry.toLowerCase()));
    return wrong && `names "${wrong}", which is neither an address, nor a network such as 10.0.0.0/8, nor a host name`;
  }

  allowsHost(host: string): boolean {
    return this.#hosts.has(host.toLowerCase().replace(/\.$/, ''));
  }

  allowsAddress(address: string): boolean {
    return isListed(this.#networks, address);
  }
}
