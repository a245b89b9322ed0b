export { type Descriptor, isMediaType } from './descriptor.ts';
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  isDigest,
  parseDigest,
  parseDigestAlgorithm,
  supportedAlgorithms,
} from './digest.ts';
export { type ParsedManifest, maxManifestBytes, parseManifest } from './manifest.ts';
export { isIndexType, isNonDistributable, mediaTypes } from './media-types.ts';
export { OciError, type OciErrorCode } from './oci-error.ts';
export { type Reference, type Tag, parseReference, parseTag } from './reference.ts';
export { type RepositoryName, maxRepositoryNameLength, parseRepositoryName } from './repository-name.ts';
