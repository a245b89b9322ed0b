import { OciError, quoted } from './oci-error.ts';

/** `algorithm:hex`, of an algorithm that Berth supports. */
export type Digest = string & { readonly __brand: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

/** Registered algorithms of the OCI image specification ("Digests") that every registry and client can compute. */
export const supportedAlgorithms: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** @throws OciError DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new OciError('DIGEST_INVALID', `${quoted(text)} is not a digest: ${problemOf(text)}`, { digest: text.slice(0, 200) });
}

/** @throws OciError DIGEST_INVALID */
export function parseDigestAlgorithm(text: string): DigestAlgorithm {
  const algorithm = supportedAlgorithms.find((each) => each === text);
  if (algorithm === undefined)
    throw new OciError('DIGEST_INVALID', `${quoted(text)} is not a supported digest algorithm: use sha256 or sha512`);
  return algorithm;
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512') ? 'sha512' : 'sha256';
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function problemOf(text: string): string {
  const colon = text.indexOf(':');
  if (colon === -1) return 'it has no algorithm; write sha256:<64 hexadecimal digits>';
  const algorithm = text.slice(0, colon);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return 'its algorithm is not supported; use sha256 or sha512';
  return `${algorithm} takes ${algorithm === 'sha256' ? 64 : 128} lower-case hexadecimal digits`;
}
