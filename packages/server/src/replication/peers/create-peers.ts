import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { HttpPeer } from './http-peer.ts';
import type { Peers } from './model.ts';
import type { PeerSettings } from './parse-peers.ts';
import { type PeerLimits, defaultPeerLimits } from './peer-connection.ts';

export interface CreatePeersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<PeerLimits>;
}

/** The other regions. Nothing is asked before somebody does. */
export function createPeers(
  settings: Omit<PeerSettings, 'clientAuthorities'>,
  { clock, log, limits }: CreatePeersOptions,
): Peers {
  const { region, others, keys, authorities, certificate, maxClockSkewMs } = settings;
  const common = { region, authorities, certificate, maxClockSkewMs, clock, limits: { ...defaultPeerLimits, ...limits } };
  const peers = keys === undefined ? [] : others.map((each) => new HttpPeer({ ...common, ...each, keys }));
  for (const { name, address } of peers)
    if (!isPrivate(new URL(address)))
      log.warn({ peer: name, address }, 'a region is asked without TLS: whoever is between the two can read what is copied');
  const byName = new Map(peers.map((peer) => [peer.name, peer]));
  return {
    region,
    all: () => peers,
    byName: (name) => byName.get(name.toLowerCase()),
    close: () => {
      for (const peer of peers) peer.close();
    },
  };
}

/** Nobody listens in. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
