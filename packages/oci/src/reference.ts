import { type Digest, parseDigest } from './digest.ts';
import { OciError, quoted } from './oci-error.ts';

export type Tag = string & { readonly __brand: 'Tag' };

/** How a request names a manifest. */
export type Reference = { readonly kind: 'tag'; readonly tag: Tag } | { readonly kind: 'digest'; readonly digest: Digest };

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** @throws OciError TAG_INVALID */
export function parseTag(text: string): Tag {
  if (tagPattern.test(text)) return text as Tag;
  throw new OciError(
    'TAG_INVALID',
    `${quoted(text)} is not a tag: a tag has 1 to 128 letters, digits, underscores, dots and hyphens, and does not begin with a dot or a hyphen`,
    { tag: text.slice(0, 200) },
  );
}

/** A text with a colon can only be a digest. @throws OciError TAG_INVALID or DIGEST_INVALID */
export function parseReference(text: string): Reference {
  return text.includes(':') ? { kind: 'digest', digest: parseDigest(text) } : { kind: 'tag', tag: parseTag(text) };
}
