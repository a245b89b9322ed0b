import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Refusal } from '../../errors/index.ts';
import { type RegionKeys, regionKeysOf } from '../../platform/region-keys/index.ts';
import type { Settings } from '../../settings/index.ts';

/** The other regions, as the operator says. */
export interface PeerSettings {
  /** This region. */
  readonly region: string;
  readonly others: readonly { readonly name: string; readonly address: string }[];
  /** Undefined: this deployment is one of its own, and nobody can sign in as a region. */
  readonly keys: RegionKeys | undefined;
  /** PEM; undefined: the authorities that the system trusts. */
  readonly authorities: string | undefined;
  readonly maxClockSkewMs: number;
}

/** Reads the settings about other regions. The region's own name in the list is passed over. @throws Refusal */
export function parsePeers(settings: Pick<Settings, 'region' | 'peers' | 'peerKey' | 'peerCa' | 'maxClockSkewMs'>): PeerSettings {
  const { region, peers, peerKey, peerCa, maxClockSkewMs } = settings;
  const all = peers.map((entry) => {
    const equals = entry.indexOf('=');
    return { name: entry.slice(0, equals).trim().toLowerCase(), address: new URL(entry.slice(equals + 1).trim()).origin };
  });
  const keys = peerKey === undefined ? undefined : regionKeysOf(peerKey.reveal());
  if (typeof keys === 'string')
    throw new Refusal(`peerKey ${keys}`, 'make one with "openssl rand -base64 32", and give it to all regions');
  if (all.length > 0 && keys === undefined)
    throw new Refusal('peers are given without peerKey', 'set BERTH_PEER_KEY to the key that all regions share');
  return {
    region,
    others: all.filter(({ name }) => name !== region),
    keys,
    authorities: peerCa === undefined ? undefined : readAuthorities(peerCa),
    maxClockSkewMs,
  };
}

/** @throws Refusal */
function readAuthorities(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`the file of peerCa, ${file}, cannot be read`, 'give a PEM file with certificates of authorities', {
      cause: error,
    });
  }
  if (!holdsCertificates(pem))
    throw new Refusal(`the file of peerCa, ${file}, holds no certificate`, 'give a PEM file with certificates of authorities');
  return pem;
}

function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).subject !== undefined);
  } catch {
    return false;
  }
}
