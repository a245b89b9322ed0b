import { type Digest, OciError, parseDigest } from '@berth/oci';
import type { Catalog } from '../catalog/index.ts';
import { RegistryError } from '../errors/index.ts';
import { RemoteError } from '../platform/registry-client/index.ts';
import type { MutableProgress } from './import-runs.ts';
import type { Source, SourceManifest } from './sources.ts';

/** ACR takes 50 of an image; here with all that refers to it. */
const maxManifests = 1000;
/** They are held until they are stored. */
const maxManifestsBytes = 64 * 1024 * 1024;

export interface PlannedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** A layer that may lie elsewhere: it comes along if the source has it. */
  readonly isOptional: boolean;
}

export interface ImportPlan {
  readonly root: SourceManifest;
  /** All but the root: children before parents. */
  readonly others: readonly SourceManifest[];
  readonly blobs: readonly PlannedBlob[];
}

export interface PlanParts {
  readonly source: Source;
  readonly catalog: Pick<Catalog, 'inspect'>;
  readonly progress: MutableProgress;
  readonly signal: AbortSignal;
}

/** Finds all that belongs to a manifest: children, what refers to any of them, and blobs. */
export async function planImport(parts: PlanParts, reference: string): Promise<ImportPlan> {
  const planner = new Planner(parts);
  const root = await planner.addRoot(reference);
  await planner.addReferrers();
  const others = planner.manifests.filter((manifest) => manifest !== root);
  return { root, others, blobs: [...planner.blobs.values()] };
}

class Planner {
  /** Children before parents. */
  readonly manifests: SourceManifest[] = [];
  readonly blobs = new Map<Digest, PlannedBlob>();
  readonly #parts: PlanParts;
  readonly #seen = new Set<string>();
  #bytes = 0;

  constructor(parts: PlanParts) {
    this.#parts = parts;
  }

  async addRoot(reference: string): Promise<SourceManifest> {
    const root = await this.#parts.source.manifest(reference, this.#parts.signal);
    this.#seen.add(root.digest);
    await this.#add(root);
    return root;
  }

  /** Also of referrers: a signature of a bill of materials. The list grows while it is gone through. */
  async addReferrers(): Promise<void> {
    const { source, signal } = this.#parts;
    for (const { digest } of this.manifests) {
      for await (const page of source.referrers(digest, signal)) {
        for (const referrer of page) await this.#addReferrer(referrer, digest);
      }
    }
  }

  /** A list may be old, or wrong: what is not there, or names another subject, does not belong to the image. */
  async #addReferrer(referrer: Digest, subject: Digest): Promise<void> {
    if (this.#seen.has(referrer)) return;
    this.#seen.add(referrer);
    const manifest = await this.#parts.source.manifest(referrer, this.#parts.signal).catch(ignoreMissing);
    if (manifest !== undefined) await this.#add(manifest, subject);
  }

  async #add(manifest: SourceManifest, subject?: Digest): Promise<void> {
    this.#count(manifest);
    const facts = await this.#inspect(manifest);
    if (subject !== undefined && facts.subject !== subject) return;
    for (const child of facts.children) await this.#addChild(parseDigest(child));
    facts.blobs.forEach((digest, at) => this.#addBlob(digest, facts.blobSizesBytes[at] ?? 0, false));
    facts.optionalBlobs.forEach((digest, at) => this.#addBlob(digest, facts.optionalBlobSizesBytes[at] ?? 0, true));
    this.manifests.push(manifest);
    this.#parts.progress.manifestsTotal += 1;
  }

  async #addChild(digest: Digest): Promise<void> {
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    await this.#add(await this.#parts.source.manifest(digest, this.#parts.signal));
  }

  #addBlob(text: string, sizeBytes: number, isOptional: boolean): void {
    const digest = parseDigest(text);
    const known = this.blobs.get(digest);
    if (known !== undefined && known.sizeBytes !== sizeBytes)
      throw new RegistryError('MANIFEST_INVALID', { message: `manifests of the source give two sizes for ${digest}` });
    this.blobs.set(digest, { digest, sizeBytes, isOptional: isOptional && known?.isOptional !== false });
    if (known === undefined) this.#parts.progress.bytesTotal += sizeBytes;
  }

  #count({ bytes }: SourceManifest): void {
    this.#bytes += bytes.length;
    if (this.#seen.size > maxManifests || this.#bytes > maxManifestsBytes) {
      throw new RegistryError('MANIFEST_INVALID', {
        message: `the image has more than ${maxManifests} manifests, or more than 64 MiB of them, with all that refers to it: that is more than one import takes`,
      });
    }
  }

  async #inspect({ bytes, digest, mediaType }: SourceManifest) {
    try {
      return await this.#parts.catalog.inspect(bytes, mediaType);
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      const message = `what ${this.#parts.source.name} has as ${digest} is no manifest that can be kept: ${error.message}`;
      throw new RegistryError('MANIFEST_INVALID', { message, cause: error });
    }
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof RemoteError && error.kind === 'not-found') return undefined;
  if (error instanceof RegistryError && error.error === 'MANIFEST_UNKNOWN') return undefined;
  throw error;
}
