import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Digest, type ParsedManifest, type Tag, digestAlgorithm, digestHex, maxManifestBytes, parseManifest, parseReference, parseTag } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { sealBytes } from '../platform/sealing/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { annotationsSeal, listedAnnotations, manifestSeal, maxTagsPerPush } from './model.ts';
import { pushManifest } from './transactions.ts';

export interface ManifestPush {
  readonly registryId: number;
  readonly repository: string;
  /** The tag or digest of the path. */
  readonly reference: string;
  /** Further tags of the query. */
  readonly tags: readonly string[];
  readonly contentType: string | undefined;
  readonly contentLength: number | undefined;
  readonly body: Readable;
}

export interface PushedManifest {
  readonly digest: string;
  /** Tags of the query, in their order. */
  readonly tags: readonly Tag[];
  readonly manifest: ParsedManifest;
}

/** Stores a manifest (OCI end-7a, end-7b). Everything about it is checked before anything is written. */
export async function push(context: CatalogContext, request: ManifestPush): Promise<PushedManifest> {
  const reference = parseReference(request.reference);
  if (request.tags.length > maxTagsPerPush) {
    throw new RegistryError('TOO_MANY_TAGS', { message: `a push can set ${maxTagsPerPush} tags at once, this one names ${request.tags.length}` });
  }
  const tags = [...new Set(request.tags)].map(parseTag);
  const bytes = await readManifestBody(request.body, request.contentLength);
  const digest = reference.kind === 'digest' ? requireDigest(bytes, reference.digest) : `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const manifest = parseManifest(bytes, request.contentType);
  const key = context.keys.current(request.registryId);
  const annotations = listedAnnotations(manifest);
  await context.database.write(pushManifest, {
    registryId: request.registryId,
    repository: request.repository,
    digest,
    tags: reference.kind === 'tag' ? [reference.tag, ...tags] : tags,
    mediaType: manifest.mediaType,
    artifactType: manifest.artifactType ?? null,
    subjectDigest: manifest.subject?.digest ?? null,
    sizeBytes: bytes.length,
    dataKeyId: key.id,
    sealedContent: sealBytes(key, manifestSeal(request.registryId, digest), bytes),
    sealedAnnotations: annotations === undefined ? null : sealBytes(key, annotationsSeal(request.registryId, digest), Buffer.from(annotations)),
    blobs: manifest.requiredBlobs.map((blob) => blob.digest),
    children: manifest.children.map((child) => child.digest),
    now: context.clock.now(),
  });
  return { digest, tags, manifest };
}

function requireDigest(bytes: Buffer, expected: Digest): Digest {
  const algorithm = digestAlgorithm(expected);
  const actual = createHash(algorithm).update(bytes).digest('hex');
  if (actual === digestHex(expected)) return expected;
  throw new RegistryError('DIGEST_INVALID', { message: `the manifest has the digest ${algorithm}:${actual}, not ${expected}`, detail: { digest: expected, actual: `${algorithm}:${actual}` } });
}

/** Reads at most 4 MiB and stops at the first byte more, with or without a Content-Length (attack 5). */
async function readManifestBody(body: Readable, contentLength: number | undefined): Promise<Buffer> {
  if (contentLength !== undefined && contentLength > maxManifestBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Leaving the loop early must not destroy the socket: the answer still has to go out.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxManifestBytes) throw tooLarge();
    chunks.push(chunk);
  }
  if (contentLength !== undefined && sizeBytes !== contentLength) throw new RegistryError('SIZE_INVALID', { message: `the manifest has ${sizeBytes} bytes, ${contentLength} were announced` });
  return Buffer.concat(chunks, sizeBytes);
}

function tooLarge(): RegistryError {
  return new RegistryError('MANIFEST_TOO_LARGE', { detail: { maxBytes: maxManifestBytes } });
}
