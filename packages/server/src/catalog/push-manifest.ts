import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FactRequest } from '@berth/api';
import { type Digest, type Reference, type Tag, digestAlgorithm, parseReference, parseTag } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { sealBytes } from '../platform/sealing/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { type PushManifest, annotationsSeal, manifestSeal, maxTagsPerPush } from './model.ts';
import { findByDigest } from './queries.ts';
import { openManifest } from './read-manifest.ts';
import { receiveManifest } from './receive-manifest.ts';
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
  readonly signal: AbortSignal;
  /** The run that pushes, if one does. */
  readonly runId?: string | undefined;
  /** Who asked for it, for the log. */
  readonly request?: FactRequest;
}

export interface PushedManifest {
  readonly digest: string;
  /** Tags of the query, in their order, each once. */
  readonly tags: readonly Tag[];
  readonly subject: string | null;
}

/** Stores a manifest (OCI end-7a, end-7b). Everything about it is checked before anything is written. */
export async function push(context: CatalogContext, request: ManifestPush): Promise<PushedManifest> {
  const reference = parseReference(request.reference);
  const tags = parseTags(request.tags);
  let isLarge = false;
  const onLarge = async (): Promise<void> => {
    await context.gate.enter(request.signal);
    isLarge = true;
  };
  try {
    const bytes = await receiveManifest({ body: request.body, contentLength: request.contentLength, onLarge });
    return await store(context, request, { bytes, reference, tags });
  } finally {
    if (isLarge) context.gate.leave();
  }
}

interface ReceivedManifest {
  readonly bytes: Buffer;
  readonly reference: Reference;
  readonly tags: readonly Tag[];
}

export interface ManifestToStore {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly mediaType: string | undefined;
  readonly tags: readonly string[];
  /** False: a tag that names another manifest already is not moved, and nothing is stored. */
  readonly mayMoveTags: boolean;
  readonly runId?: string | undefined;
}

/** Stores a manifest for another feature, with all the checks of a push. @throws CONFLICT, and what a push throws */
export async function pushStored(context: CatalogContext, manifest: ManifestToStore): Promise<void> {
  const { bytes, digest } = manifest;
  const tags = parseTags(manifest.tags);
  await store(context, { ...manifest, contentType: manifest.mediaType }, { bytes, reference: { kind: 'digest', digest }, tags });
}

interface Placement {
  readonly registryId: number;
  readonly repository: string;
  readonly contentType: string | undefined;
  /** Default: true. */
  readonly mayMoveTags?: boolean;
  readonly runId?: string | undefined;
  readonly request?: FactRequest;
  readonly signal?: AbortSignal;
}

async function store(
  context: CatalogContext,
  request: Placement,
  { bytes, reference, tags }: ReceivedManifest,
): Promise<PushedManifest> {
  const { registryId, repository, mayMoveTags = true, runId = null } = request;
  const digest = reference.kind === 'digest' ? requireDigest(bytes, reference.digest) : digestOf('sha256', bytes);
  const facts = await context.parser.parse(bytes, request.contentType);
  const key = context.keys.current(registryId);
  const isRepair = await isUnreadable(context, registryId, repository, digest);
  await write(context, request, {
    registryId,
    repository,
    digest,
    tags: reference.kind === 'tag' ? [...new Set([reference.tag, ...tags])] : tags,
    mediaType: facts.mediaType,
    artifactType: facts.artifactType,
    subjectDigest: facts.subject,
    sizeBytes: bytes.length,
    limitBytes: context.limitOf?.(registryId),
    dataKeyId: key.id,
    sealedContent: sealBytes(key, manifestSeal(registryId, digest), bytes),
    sealedAnnotations:
      facts.annotations === null ? null : sealBytes(key, annotationsSeal(registryId, digest), Buffer.from(facts.annotations)),
    blobs: facts.blobs,
    optionalBlobs: facts.optionalBlobs,
    children: facts.children,
    isRepair,
    mayMoveTags,
    runId,
    request: request.request,
    now: context.clock.now(),
  });
  if (reference.kind === 'tag' || tags.length > 0) context.onTagsMoved?.(registryId);
  return { digest, tags, subject: facts.subject };
}

/** What a push names may be on its way from another region: then it is brought first, once. */
async function write(context: CatalogContext, { signal }: Placement, manifest: PushManifest): Promise<void> {
  try {
    await context.database.write(pushManifest, manifest);
  } catch (error) {
    const { elsewhere, clock } = context;
    const isMissing = error instanceof RegistryError && error.error === 'MANIFEST_BLOB_UNKNOWN';
    if (!isMissing || elsewhere === undefined) throw error;
    const { registryId, repository, blobs, children } = manifest;
    const digests = [...blobs, ...children];
    if (!(await elsewhere.bring({ registryId, repository, digests }, signal ?? new AbortController().signal))) throw error;
    await context.database.write(pushManifest, { ...manifest, now: clock.now() });
  }
}

function parseTags(texts: readonly string[]): readonly Tag[] {
  const distinct = new Set(texts);
  if (distinct.size > maxTagsPerPush) {
    throw new RegistryError('TOO_MANY_TAGS', {
      message: `a push can set ${maxTagsPerPush} tags at once, this one names ${distinct.size}`,
    });
  }
  return [...distinct].map(parseTag);
}

function requireDigest(bytes: Buffer, expected: Digest): Digest {
  const actual = digestOf(digestAlgorithm(expected), bytes);
  if (actual === expected) return expected;
  throw new RegistryError('DIGEST_INVALID', {
    message: `the manifest has the digest ${actual}, not ${expected}`,
    detail: { digest: expected, actual },
  });
}

function digestOf(algorithm: string, bytes: Buffer): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Whether the repository has this digest with bytes that do not open: then the push repairs it, as the error promised. */
async function isUnreadable(context: CatalogContext, registryId: number, repository: string, digest: string): Promise<boolean> {
  const stored = await findByDigest(context.database.read, { registryId, repository, reference: digest });
  if (stored === undefined) return false;
  try {
    await openManifest(context, registryId, stored);
    return false;
  } catch {
    return true;
  }
}
