import { lookup } from 'node:dns/promises';
import { type LookupFunction, isIP } from 'node:net';
import type { AllowList } from './allow-list.ts';
import { OutboundError, asOutboundError } from './outbound-error.ts';
import { isPublicAddress } from './public-address.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export type Resolver = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Lookups take threads that files are read with, and a server of names may be slow on purpose. */
const maxLookups = 2;

/** Decides where requests may go, at the moment of connecting. */
export class Guard {
  readonly #allow: AllowList;
  readonly #resolve: Resolver;
  readonly #waiting: (() => void)[] = [];
  #lookups = 0;

  constructor(allow: AllowList, resolve: Resolver = (host) => lookup(host, { all: true })) {
    this.#allow = allow;
    this.#resolve = resolve;
  }

  /** An address in the URL itself is never looked up, so it is judged here. @throws OutboundError */
  requireUrl(url: URL): void {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0) this.#require(host, host);
  }

  /** For `net.connect`, which connects to what this hands it and to nothing else: a second lookup cannot say otherwise. */
  readonly lookup: LookupFunction = (host, options, answer) => {
    this.#addressesOf(host).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) answer(new OutboundError('unreachable', `${host} has no address`), '', 0);
        else if (options.all === true) answer(null, [...addresses]);
        else answer(null, first.address, first.family);
      },
      (error: unknown) => answer(asOutboundError(error, host), '', 0),
    );
  };

  async #addressesOf(host: string): Promise<readonly ResolvedAddress[]> {
    const addresses = await this.#inTurn(() => this.#resolve(host));
    // One that is not public among others is no accident: none of them is used.
    for (const { address } of addresses) this.#require(address, host);
    return addresses;
  }

  #require(address: string, host: string): void {
    if (isPublicAddress(address) || this.#allow.allowsAddress(address) || this.#allow.allowsHost(host)) return;
    throw new OutboundError(
      'refused-address',
      `${host} is not on the public internet, and the operator has not opened this address (setting outboundAllow)`,
    );
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lookups < maxLookups) this.#lookups += 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes on to the next.
      const next = this.#waiting.shift();
      if (next === undefined) this.#lookups -= 1;
      else next();
    }
  }
}
