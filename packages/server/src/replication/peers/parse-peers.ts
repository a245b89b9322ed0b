import { Refusal } from '../../errors/index.ts';
import { type RegionKeys, regionKeysOf } from '../../platform/region-keys/index.ts';
import { type CertificateSource, openCertificateFiles, readAuthorities } from '../../platform/tls/index.ts';
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
  /** What this region shows to others. */
  readonly certificate: CertificateSource | undefined;
  /** PEM: whose certificates other regions have to show; undefined: they show none. */
  readonly clientAuthorities: string | undefined;
  readonly maxClockSkewMs: number;
}

type SettingsOfPeers = Pick<
  Settings,
  'region' | 'peers' | 'peerKey' | 'peerCa' | 'peerCert' | 'peerCertKey' | 'peerClientCa' | 'maxClockSkewMs'
>;

/** Reads the settings about other regions. The region's own name in the list is passed over. @throws Refusal */
export async function parsePeers(settings: SettingsOfPeers): Promise<PeerSettings> {
  const { region, peers, peerKey, peerCa, peerCert, peerCertKey, peerClientCa, maxClockSkewMs } = settings;
  const all = peers.map((entry) => {
    const equals = entry.indexOf('=');
    return { name: entry.slice(0, equals).trim().toLowerCase(), address: new URL(entry.slice(equals + 1).trim()).origin };
  });
  const keys = peerKey === undefined ? undefined : regionKeysOf(peerKey.reveal());
  if (typeof keys === 'string')
    throw new Refusal(`peerKey ${keys}`, 'make one with "openssl rand -base64 32", and give it to all regions');
  if (all.length > 0 && keys === undefined)
    throw new Refusal('peers are given without peerKey', 'set BERTH_PEER_KEY to the key that all regions share');
  const isShown = peerCert !== undefined && peerCertKey !== undefined;
  return {
    region,
    others: all.filter(({ name }) => name !== region),
    keys,
    authorities: peerCa === undefined ? undefined : await readAuthorities(peerCa, 'peerCa'),
    certificate: isShown
      ? await openCertificateFiles({ cert: peerCert, key: peerCertKey, flags: ['--peer-cert', '--peer-cert-key'] })
      : undefined,
    clientAuthorities: peerClientCa === undefined ? undefined : await readAuthorities(peerClientCa, 'peerClientCa'),
    maxClockSkewMs,
  };
}
