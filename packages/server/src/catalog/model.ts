import type { ParsedManifest } from '@berth/oci';

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
  readonly dataKeyId: string;
  readonly sealedContent: Uint8Array;
  readonly sealedAnnotations: Uint8Array | null;
  readonly blobs: readonly string[];
  readonly children: readonly string[];
  readonly now: number;
}

/** Spec: at least ten tags in one push must work. */
export const maxTagsPerPush = 100;

export const manifestSeal = (registryId: number, digest: string): string => `manifest:${registryId}:${digest}`;
export const annotationsSeal = (registryId: number, digest: string): string => `annotations:${registryId}:${digest}`;

/** Annotations matter to others only in referrers lists. */
export function listedAnnotations(manifest: ParsedManifest): string | undefined {
  if (manifest.subject === undefined || Object.keys(manifest.annotations).length === 0) return undefined;
  return JSON.stringify(manifest.annotations);
}
