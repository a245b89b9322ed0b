import { isIndexType } from '@berth/oci';

/** Larger indexes are not taken apart: they are few, and their digests say enough. */
const maxBytes = 256 * 1024;
const attestation = 'attestation-manifest';

export interface NamedManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

interface Child {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>> | null;
}

/**
 * Digests of the images that a manifest stands for, sorted: itself, or those of an index without what BuildKit attests of them. It
 * attests the time, too, so that the index of an image that is built again has another digest, though the image has not.
 */
export function imagesOf({ digest, mediaType, bytes }: NamedManifest): readonly string[] {
  if (!isIndexType(mediaType) || bytes.length > maxBytes) return [digest];
  const images = childrenIn(bytes).filter(({ annotations }) => annotations?.['vnd.docker.reference.type'] !== attestation);
  return images.length === 0 ? [digest] : images.map((child) => child.digest).toSorted();
}

/** None of what only says that it is an index: other registries may send anything. */
function childrenIn(bytes: Buffer): readonly Child[] {
  try {
    const { manifests } = JSON.parse(bytes.toString()) as { readonly manifests?: unknown };
    return Array.isArray(manifests) && manifests.every(isChild) ? manifests : [];
  } catch {
    return [];
  }
}

function isChild(value: unknown): value is Child {
  return typeof (value as Partial<Child> | null)?.digest === 'string';
}
