import { type Descriptor, invalid, isMediaType, isObject, parseDescriptor } from './descriptor.ts';
import {
  isArtifactType,
  isImageType,
  isIndexType,
  isLayerType,
  isManifestType,
  isNonDistributable,
  isSchema1Type,
  mediaTypes,
} from './media-types.ts';
import { OciError, quoted } from './oci-error.ts';
import { parseStrictJson } from './strict-json.ts';

/** Manifests of at least 4 MiB must be taken (OCI distribution, "Pushing Manifests"); more is refused. */
export const maxManifestBytes = 4 * 1024 * 1024;

/** What a registry must know of a manifest. Its bytes stay as they came. */
export interface ParsedManifest {
  readonly mediaType: string;
  readonly kind: 'image' | 'index' | 'artifact' | 'other';
  /** As the referrers list shows it: the manifest's own, else for images the config's media type. */
  readonly artifactType: string | undefined;
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** Blobs that must be in the repository; each digest once. */
  readonly requiredBlobs: readonly Descriptor[];
  /**
   * Blobs that need not be in the repository and must be kept if they are: layers that may lie elsewhere, and what a
   * manifest of an unknown kind, or an entry of an unknown type, seems to refer to. Each digest once, none of `requiredBlobs`.
   */
  readonly optionalBlobs: readonly Descriptor[];
  /** Manifests that must be in the repository; each digest once. */
  readonly children: readonly Descriptor[];
}

/**
 * Reads a pushed manifest. `contentType` is the request's header; without one the document's own `mediaType` counts.
 * @throws OciError MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ParsedManifest {
  const document = parseStrictJson(bytes);
  if (!isObject(document)) throw invalid('the manifest is not a JSON object');
  const mediaType = mediaTypeOf(document, contentType);
  const common = { mediaType, annotations: annotationsOf(document) };
  if (isSchema1Type(mediaType))
    throw invalid('Docker schema 1 manifests are not supported; push the image with a client newer than Docker 1.10');
  if (isIndexType(mediaType)) return { ...common, ...indexParts(document) };
  if (isImageType(mediaType)) return { ...common, ...imageParts(document) };
  if (isArtifactType(mediaType)) return { ...common, ...artifactParts(document) };
  return { ...common, ...otherParts(document) };
}

type Parts = Omit<ParsedManifest, 'mediaType' | 'annotations'>;

function indexParts(document: Record<string, unknown>): Parts {
  checkSchemaVersion(document);
  refuse(document, ['config', 'layers', 'blobs'], 'an index');
  const entries = descriptorsOf(document, 'manifests');
  // BuildKit exports its cache as an index over layers and a configuration of its own.
  const requiredBlobs = distinct(entries.filter((entry) => isLayerType(entry.mediaType)));
  const rest = entries.filter((entry) => !isLayerType(entry.mediaType));
  return {
    ...commonParts(document),
    kind: 'index',
    requiredBlobs,
    optionalBlobs: without(distinct(rest.filter((entry) => !isManifestType(entry.mediaType))), requiredBlobs),
    children: distinct(rest.filter((entry) => isManifestType(entry.mediaType))),
  };
}

function imageParts(document: Record<string, unknown>): Parts {
  checkSchemaVersion(document);
  refuse(document, ['manifests', 'blobs', 'fsLayers'], 'an image manifest');
  const config = parseDescriptor(document['config'], 'config');
  const layers = descriptorsOf(document, 'layers');
  const requiredBlobs = distinct([config, ...layers.filter((layer) => !isNonDistributable(layer.mediaType))]);
  const common = commonParts(document);
  return {
    ...common,
    kind: 'image',
    artifactType: common.artifactType ?? config.mediaType,
    requiredBlobs,
    optionalBlobs: without(distinct(layers.filter((layer) => isNonDistributable(layer.mediaType))), requiredBlobs),
  };
}

function artifactParts(document: Record<string, unknown>): Parts {
  refuse(document, ['manifests', 'config', 'layers'], 'an artifact manifest');
  const blobs = document['blobs'] === undefined ? [] : descriptorsOf(document, 'blobs');
  return { ...commonParts(document), kind: 'artifact', requiredBlobs: distinct(blobs) };
}

/**
 * A registry takes kinds of manifests that it does not know (OCI distribution, "Pushing Manifests"). What looks like a
 * descriptor in the usual places protects the blob from collection; nothing is demanded.
 */
function otherParts(document: Record<string, unknown>): Parts {
  if (document['manifests'] !== undefined) refuse(document, ['layers'], 'a manifest with "manifests"');
  const places = [document['config'], document['layers'], document['blobs']].flat();
  return { ...commonParts(document), kind: 'other', optionalBlobs: distinct(places.flatMap(descriptorIn)) };
}

function commonParts(document: Record<string, unknown>): Omit<Parts, 'kind'> {
  return {
    artifactType: textOf(document, 'artifactType'),
    subject: subjectOf(document),
    requiredBlobs: [],
    optionalBlobs: [],
    children: [],
  };
}

function mediaTypeOf(document: Record<string, unknown>, contentType: string | undefined): string {
  const declared = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const own = document['mediaType'];
  if (own !== undefined && (typeof own !== 'string' || !isMediaType(own)))
    throw invalid('the mediaType of the manifest is not a media type');
  const chosen = declared === undefined || declared === '' ? (own?.toLowerCase() ?? guess(document)) : declared;
  if (chosen === undefined) throw invalid('neither a Content-Type header nor a mediaType says what kind of manifest this is');
  if (!isMediaType(chosen)) throw invalid(`the Content-Type ${quoted(chosen)} is not a media type`);
  // Two readers must not see two kinds of document in one (GHSA-qq97-vm5h-rrhg).
  if (own !== undefined && own.toLowerCase() !== chosen) {
    throw new OciError(
      'MANIFEST_INVALID',
      `the Content-Type is ${quoted(chosen)} but the manifest's mediaType is ${quoted(own)}; they must be the same`,
    );
  }
  // Media types are compared without case (RFC 6838, section 4.2): another spelling must not pass as an unknown type.
  const spelling = own ?? contentType?.split(';', 1)[0]?.trim() ?? chosen;
  return Object.values<string>(mediaTypes).includes(chosen) ? chosen : spelling;
}

/** An OCI document may leave its mediaType out; its fields tell then. */
function guess(document: Record<string, unknown>): string | undefined {
  if (Array.isArray(document['manifests'])) return mediaTypes.ociIndex;
  return Array.isArray(document['layers']) ? mediaTypes.ociManifest : undefined;
}

function checkSchemaVersion(document: Record<string, unknown>): void {
  if (document['schemaVersion'] !== 2) throw invalid('the schemaVersion of the manifest is not 2');
}

function refuse(document: Record<string, unknown>, fields: readonly string[], what: string): void {
  for (const field of fields) if (document[field] !== undefined) throw invalid(`${what} cannot have the field "${field}"`);
}

function descriptorsOf(document: Record<string, unknown>, field: string): Descriptor[] {
  const list = document[field];
  // What Go writes for an empty list.
  if (list === null) return [];
  if (!Array.isArray(list)) throw invalid(`the manifest has no list "${field}"`);
  return list.map((value: unknown, index) => parseDescriptor(value, `${field}[${index}]`));
}

function descriptorIn(value: unknown): Descriptor[] {
  try {
    return [parseDescriptor(value, 'descriptor')];
  } catch {
    return [];
  }
}

function subjectOf(document: Record<string, unknown>): Descriptor | undefined {
  return document['subject'] === undefined || document['subject'] === null
    ? undefined
    : parseDescriptor(document['subject'], 'subject');
}

function textOf(document: Record<string, unknown>, field: string): string | undefined {
  const value = document[field];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || !isMediaType(value)) throw invalid(`the ${field} of the manifest is not a media type`);
  return value;
}

function annotationsOf(document: Record<string, unknown>): Record<string, string> {
  const value = document['annotations'];
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalid('the annotations of the manifest are not an object');
  const entries = Object.entries(value);
  for (const [key, text] of entries) if (typeof text !== 'string') throw invalid(`the annotation ${quoted(key)} is not a text`);
  return value as Record<string, string>;
}

function without(descriptors: readonly Descriptor[], others: readonly Descriptor[]): Descriptor[] {
  const digests = new Set<string>(others.map((other) => other.digest));
  return descriptors.filter((descriptor) => !digests.has(descriptor.digest));
}

function distinct(descriptors: readonly Descriptor[]): Descriptor[] {
  const byDigest = new Map<string, Descriptor>();
  for (const descriptor of descriptors) {
    const known = byDigest.get(descriptor.digest);
    if (known !== undefined && known.sizeBytes !== descriptor.sizeBytes)
      throw invalid(`the manifest gives two sizes for ${descriptor.digest}`);
    byDigest.set(descriptor.digest, descriptor);
  }
  return [...byDigest.values()];
}
