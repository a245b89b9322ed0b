import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import type { Blobs } from '../blobs/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { RegistryError } from '../errors/index.ts';
import { RemoteError } from '../platform/registry-client/index.ts';
import type { MutableProgress } from './import-runs.ts';
import type { ImportInput } from './model.ts';
import type { ImportTarget, ParsedImport } from './parse-import.ts';
import { type ImportPlan, type PlannedBlob, planImport } from './plan-import.ts';
import type { Source } from './sources.ts';

/** Of one import, at the same time. */
const blobsAtOnce = 4;

export interface CopyParts {
  readonly blobs: Pick<Blobs, 'has' | 'link' | 'upload'>;
  readonly catalog: Pick<Catalog, 'find' | 'inspect' | 'push'>;
  readonly source: Source;
  readonly input: ImportInput;
  readonly wanted: ParsedImport;
  readonly progress: MutableProgress;
  readonly signal: AbortSignal;
}

/** Copies an image into each of its targets. What was copied stays when it fails; the next attempt goes on from there. */
export async function copyImage(parts: CopyParts): Promise<void> {
  const { wanted, progress } = parts;
  const plan = await planImport(parts, wanted.reference);
  await requireFreeTags(parts, plan);
  const [first, ...others] = wanted.targets;
  await eachAtOnce(plan.blobs, parts.signal, (blob, signal) => copyBlob(parts, blob, { target: first, signal }));
  await pushManifests(parts, plan, first);
  for (const target of others) {
    // They are the same bytes: linking them takes no time.
    await eachAtOnce(plan.blobs, parts.signal, (blob, signal) => copyBlob(parts, blob, { target, linkFrom: first, signal }));
    await pushManifests(parts, plan, target);
  }
  progress.manifestsDone = progress.manifestsTotal;
}

/** Early, to save the copying; whether tags move is decided when they are set. @throws CONFLICT */
async function requireFreeTags({ catalog, input, wanted }: CopyParts, { root }: ImportPlan): Promise<void> {
  if (wanted.mayMoveTags) return;
  for (const { repository, tags } of wanted.targets) {
    for (const tag of tags) {
      const digest = await catalog.find({ registryId: input.registry.id, repository, reference: tag });
      if (digest === undefined || digest === root.digest) continue;
      throw new RegistryError('CONFLICT', {
        target: 'targetTags',
        message: `the tag ${tag} of ${repository} exists and names another image: import with the mode Force to move it`,
      });
    }
  }
}

interface BlobCopy {
  readonly target: ImportTarget;
  /** A target that has the blobs already. */
  readonly linkFrom?: ImportTarget;
  readonly signal: AbortSignal;
}

async function copyBlob(parts: CopyParts, blob: PlannedBlob, { target, linkFrom, signal }: BlobCopy): Promise<void> {
  const { blobs, source, input, progress } = parts;
  const registryId = input.registry.id;
  const { repository } = target;
  const { digest, sizeBytes } = blob;
  const linkable = linkFrom?.repository ?? (source.registryId === registryId ? source.repository : undefined);
  const isHere =
    (await blobs.has({ registryId, repository, digest })) ||
    (linkable !== undefined && (await blobs.link({ registryId, digest, source: linkable, target: repository })));
  // Counted once, for the first of the targets.
  const count = (bytes: number): void => {
    if (linkFrom === undefined) progress.bytesDone += bytes;
  };
  if (isHere) return count(sizeBytes);
  const body = counted(source.blob(digest, sizeBytes, signal), count);
  try {
    await blobs.upload({ registryId, repository, principalId: input.principalId, digest, body: body.stream, sizeBytes, signal });
  } catch (error) {
    signal.throwIfAborted();
    // Why the source stopped sending, rather than that it did.
    const cause = body.failure() ?? error;
    if (blob.isOptional && isMissing(cause)) return count(sizeBytes);
    throw asSourceProblem(cause, source);
  } finally {
    body.stream.destroy();
  }
}

/** Counts bytes as they pass, and keeps the reason of an end that came too early. */
function counted(source: Readable, count: (bytes: number) => void) {
  let failure: unknown;
  source.on('error', (error) => {
    failure = error;
    stream.destroy(error);
  });
  const stream = new PassThrough();
  stream.on('error', () => undefined).on('close', () => source.destroy());
  source.on('data', (chunk: Buffer) => count(chunk.length));
  source.pipe(stream);
  return { stream, failure: () => failure };
}

function isMissing(error: unknown): boolean {
  if (error instanceof RemoteError) return error.kind === 'not-found';
  return error instanceof RegistryError && error.error === 'BLOB_UNKNOWN';
}

/** Bytes that do not fit their description are the source's fault, not the caller's. */
function asSourceProblem(error: unknown, source: Source): unknown {
  if (!(error instanceof RegistryError) || (error.error !== 'DIGEST_INVALID' && error.error !== 'SIZE_INVALID')) return error;
  return new RegistryError('UPSTREAM_FAILED', {
    message: `${source.name} sent content that is not what its manifest says: ${error.message}`,
    cause: error,
  });
}

/** The root last, with its tags: until then nobody finds half an image. */
async function pushManifests(
  { catalog, input, wanted, progress, signal }: CopyParts,
  plan: ImportPlan,
  target: ImportTarget,
): Promise<void> {
  const place = { registryId: input.registry.id, repository: target.repository, mayMoveTags: wanted.mayMoveTags };
  for (const { digest, bytes, mediaType } of plan.others) {
    signal.throwIfAborted();
    await catalog.push({ ...place, digest, bytes, mediaType, tags: [] });
    if (target === wanted.targets[0]) progress.manifestsDone += 1;
  }
  signal.throwIfAborted();
  await catalog.push({ ...place, ...plan.root, tags: target.tags });
}

/** Works on a few items at a time; the first failure stops the others, and is thrown once they have stopped. */
async function eachAtOnce<T>(
  items: readonly T[],
  outer: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const left = items.values();
  let failure: { readonly reason: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (signal.aborted) return;
      try {
        await work(item, signal);
      } catch (error) {
        failure ??= { reason: error };
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: blobsAtOnce }, worker));
  outer.throwIfAborted();
  if (failure !== undefined) throw failure.reason;
}
