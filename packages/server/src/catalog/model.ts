import type { FactRequest } from '@berth/api';
import { parseManifest } from '@berth/oci';

/** What the catalog keeps of a manifest beside its bytes. Plain data: it travels between threads. */
export interface ManifestFacts {
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly subject: string | null;
  /** As JSON, and only with a subject: annotations matter to others in referrers lists alone. */
  readonly annotations: string | null;
  /** Digests of blobs that must be in the repository, each once. */
  readonly blobs: readonly string[];
  /** In the order of `blobs`. */
  readonly blobSizesBytes: readonly number[];
  /** Digests of blobs that are kept if the repository has them and not asked for if not; none of `blobs`. */
  readonly optionalBlobs: readonly string[];
  /** In the order of `optionalBlobs`. */
  readonly optionalBlobSizesBytes: readonly number[];
  /** Digests of manifests that must be in the repository, each once. */
  readonly children: readonly string[];
}

/** @throws OciError MANIFEST_INVALID */
export function factsOf(bytes: Uint8Array, contentType: string | undefined): ManifestFacts {
  const manifest = parseManifest(bytes, contentType);
  const isListed = manifest.subject !== undefined && Object.keys(manifest.annotations).length > 0;
  return {
    mediaType: manifest.mediaType,
    artifactType: manifest.artifactType ?? null,
    subject: manifest.subject?.digest ?? null,
    annotations: isListed ? JSON.stringify(manifest.annotations) : null,
    blobs: manifest.requiredBlobs.map((blob) => blob.digest),
    blobSizesBytes: manifest.requiredBlobs.map((blob) => blob.sizeBytes),
    optionalBlobs: manifest.optionalBlobs.map((blob) => blob.digest),
    optionalBlobSizesBytes: manifest.optionalBlobs.map((blob) => blob.sizeBytes),
    children: manifest.children.map((child) => child.digest),
  };
}

/** What a push asks the database to do, sealed already. */
export interface PushManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly subjectDigest: string | null;
  readonly sizeBytes: number;
  /** What the registry may store. */
  readonly limitBytes: number | undefined;
  readonly dataKeyId: string;
  readonly sealedContent: Uint8Array;
  readonly sealedAnnotations: Uint8Array | null;
  readonly blobs: readonly string[];
  readonly optionalBlobs: readonly string[];
  readonly children: readonly string[];
  /** The stored bytes of this digest do not open: put these in their place. */
  readonly isRepair: boolean;
  /** False: tags that are there stay where they are, and the push fails. */
  readonly mayMoveTags: boolean;
  /** The run that pushes, if one does. */
  readonly runId: string | null;
  /** Who asked for it; absent: a feature of the registry. */
  readonly request?: FactRequest | undefined;
  readonly now: number;
}

/** What an image's config says that it runs on. */
export interface Platform {
  readonly architecture?: string;
  readonly os?: string;
}

/** At least ten tags in one push must work (OCI end-7b); the answer names them all in one header, which stays below 8 KiB. */
export const maxTagsPerPush = 50;

export const manifestSeal = (registryId: number, digest: string): string => `manifest:${registryId}:${digest}`;
export const annotationsSeal = (registryId: number, digest: string): string => `annotations:${registryId}:${digest}`;
