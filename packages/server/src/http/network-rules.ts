import type { BlockList } from 'node:net';
import type { Operation } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { isListed, listOfNetworks, parseNetwork } from '../platform/networks.ts';
import type { NetworkRules, Registry } from '../tenancy/index.ts';

/**
 * Who may reach a registry at all (acr-api 6.15). What ACR lets in by private endpoints comes here from private networks:
 * they pass whatever the rules say. With public access off nobody else does.
 */
export class NetworkGate {
  readonly #private: BlockList;
  /** A change makes another object of the registry, and so another list. */
  readonly #allowed = new WeakMap<NetworkRules, BlockList>();

  constructor(privateNetworks: readonly string[]) {
    this.#private = compile(privateNetworks);
  }

  /** Before anybody is asked who they are: a stranger learns no more than that. @throws DENIED */
  requirePassage(operation: Operation, { network }: Registry, address: string): void {
    if (network.isPublicAccessEnabled && network.defaultAction === 'Allow') return;
    if (!isGuarded(operation) || isListed(this.#private, address)) return;
    if (network.isPublicAccessEnabled && isListed(this.#allowedBy(network), address)) return;
    throw new RegistryError('DENIED', {
      message: `client with IP '${address}' is not allowed access, refer to the firewall rules of the registry`,
    });
  }

  #allowedBy(network: NetworkRules): BlockList {
    const known = this.#allowed.get(network);
    if (known !== undefined) return known;
    const list = compile(network.allowed);
    this.#allowed.set(network, list);
    return list;
  }
}

/**
 * The data plane and what runs a registry. Not the resource manager, where a rule that shuts its owner out is taken back,
 * nor other regions, which belong to no registry, nor health checks. Of what is public, only the token endpoint and the protocol belong to a registry.
 */
function isGuarded({ permission: { kind }, path }: Operation): boolean {
  if (kind === 'management' || kind === 'resource' || kind === 'region') return false;
  return kind !== 'public' || /^\/(?:v2|acr\/v1|oauth2)\//.test(path);
}

/** Rules were checked when they were written; one that cannot be read lets nobody in. */
function compile(networks: readonly string[]): BlockList {
  return listOfNetworks(networks.flatMap((each) => parseNetwork(each) ?? []));
}
