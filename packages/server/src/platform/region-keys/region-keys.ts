import { hkdfSync } from 'node:crypto';

/** Shorter ones can be guessed: what is signed with them goes over the network. */
const minPeerKeyLength = 32;
const maxKeys = 2;

/** What one key of the regions is used as: one key for each purpose, so that neither says anything of the other. */
export interface RegionKey {
  /** 32 bytes; signs what regions sign in with (HS256). */
  readonly signing: Uint8Array;
  /** 32 bytes; wraps the keys that settings are sealed with. */
  readonly sealing: Buffer;
}

/** The keys that regions share: the first is used, all are taken. Never empty. */
export type RegionKeys = readonly [RegionKey, ...RegionKey[]];

/** Derives the keys from the setting `peerKey`, one text or two with a comma between them; a text says what is wrong, and holds no secret. */
export function regionKeysOf(peerKey: string): RegionKeys | string {
  const [first = '', ...others] = peerKey.split(',').map((each) => each.trim());
  if (others.length >= maxKeys) return `has more than ${maxKeys} keys`;
  const short = [first, ...others].find((each) => each.length < minPeerKeyLength);
  if (short !== undefined) return `has a key of ${short.length} characters, and ${minPeerKeyLength} are needed`;
  return [keyOf(first), ...others.map(keyOf)];
}

function keyOf(text: string): RegionKey {
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', text, Buffer.alloc(0), purpose, 32));
  return { signing: derive('berth regions sign in'), sealing: derive('berth regions seal settings') };
}
