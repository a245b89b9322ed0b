import { type Digest, isDigest } from './digest.ts';
import { OciError, quoted } from './oci-error.ts';

/** A reference to content: type, digest, size (image specification, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly artifactType: string | undefined;
  readonly urls: readonly string[];
}

/** RFC 6838, section 4.2: what a media type may look like, parameters left out. */
const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

const maxContentTypeLength = 1024;
const parametersPattern = /^[\x20-\x7e]*$/;

export function isMediaType(text: string): boolean {
  return mediaTypePattern.test(text);
}

/** The type of content may have parameters, such as `text/plain; charset=utf-8`. */
function isContentType(text: string): boolean {
  const semicolon = text.indexOf(';');
  if (semicolon === -1) return isMediaType(text);
  return (
    text.length <= maxContentTypeLength &&
    isMediaType(text.slice(0, semicolon).trimEnd()) &&
    parametersPattern.test(text.slice(semicolon))
  );
}

/** `where` names the place in the manifest for messages. @throws OciError MANIFEST_INVALID */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw invalid(`${where} is not a descriptor object`);
  const { mediaType, digest, size, artifactType, urls } = value;
  if (typeof mediaType !== 'string' || !isContentType(mediaType)) throw invalid(`${where} has no valid mediaType`);
  if (typeof digest !== 'string') throw invalid(`${where} has no digest`);
  if (!isDigest(digest))
    throw new OciError('MANIFEST_INVALID', `${where} has the digest ${quoted(digest)}, which is not a sha256 or sha512 digest`, {
      digest: digest.slice(0, 200),
    });
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${where} has a size that is not a whole number from 0 to 2^53-1`);
  if (artifactType !== undefined && typeof artifactType !== 'string')
    throw invalid(`${where} has an artifactType that is not a text`);
  if (urls !== undefined && !isTextList(urls)) throw invalid(`${where} has urls that are not a list of texts`);
  return { mediaType, digest, sizeBytes: size, artifactType, urls: urls ?? [] };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

export function invalid(message: string): OciError {
  return new OciError('MANIFEST_INVALID', message);
}
