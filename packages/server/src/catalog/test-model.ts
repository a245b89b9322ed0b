import { mediaTypes } from '@berth/oci';
import { bytesOf, descriptor, digestOf, garbageDelayMs, image, index } from './test-catalog.ts';

/** The catalog as anybody would write it who had no database: what the real one must never differ from. */

export const repositories = ['a', 'b', 'b/c'] as const;
export const contents = ['b0', 'b1', 'b2', 'b3', 'b4'] as const;
export const tags = ['v1', 'v2', 'V1', 'latest'] as const;

export interface KnownManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly subject: string | undefined;
  readonly blobs: readonly string[];
  readonly children: readonly string[];
}

const configType = 'application/vnd.oci.image.config.v1+json';

function known(
  document: object,
  references: { readonly blobs?: readonly string[]; readonly children?: readonly KnownManifest[]; readonly algorithm?: string },
): KnownManifest {
  const { mediaType, artifactType, annotations, subject } = document as {
    mediaType: string;
    artifactType?: string;
    annotations?: Record<string, string>;
    subject?: { digest: string };
  };
  const bytes = bytesOf(document);
  return {
    bytes,
    digest: digestOf(bytes, references.algorithm),
    mediaType,
    artifactType: artifactType ?? (mediaType === mediaTypes.ociManifest ? configType : undefined),
    annotations,
    subject: subject?.digest,
    blobs: (references.blobs ?? []).map((content) => digestOf(content)),
    children: (references.children ?? []).map((child) => child.digest),
  };
}

function imageOf(config: string, layers: readonly string[], more: object = {}, algorithm = 'sha256'): KnownManifest {
  return known(image(config, layers, more), { blobs: [config, ...layers], algorithm });
}

function indexOf(children: readonly KnownManifest[], more: object = {}): KnownManifest {
  const manifests = children.map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length }));
  return known({ ...index([]), manifests, ...more }, { children });
}

function subjectOf({ bytes, digest, mediaType }: KnownManifest): object {
  return { subject: { mediaType, digest, size: bytes.length } };
}

const plain = imageOf('b0', ['b1']);
const layered = imageOf('b0', ['b1', 'b2', 'b1']);
const bySha512 = imageOf('b3', [], {}, 'sha512');
const signature = imageOf('b4', ['b4'], {
  ...subjectOf(plain),
  artifactType: 'application/vnd.example.signature',
  annotations: { by: 'me' },
});
const pair = indexOf([plain, layered]);

/** Everything that the model's users push. */
export const manifests: readonly KnownManifest[] = [
  plain,
  layered,
  bySha512,
  signature,
  pair,
  indexOf([pair, bySha512]),
  indexOf([], { ...subjectOf(plain), annotations: { empty: 'yes' } }),
  imageOf('b2', ['b3', 'b4'], subjectOf(signature)),
  imageOf('b1', [], { subject: descriptor('never pushed', mediaTypes.ociManifest) }),
];

export const subjects = [...new Set(manifests.flatMap((manifest) => manifest.subject ?? []))];

export class ModelRepository {
  /** When collection looks at a blob; undefined: it has looked and found it in use. */
  readonly blobs = new Map<string, number | undefined>();
  readonly manifests = new Map<string, KnownManifest>();
  readonly tags = new Map<string, string>();
  /** Digests that were let out of quarantine. */
  readonly passed = new Set<string>();

  /** Lists show it as long as it holds a manifest. */
  get isListed(): boolean {
    return this.manifests.size > 0;
  }

  isUsed(blob: string): boolean {
    return [...this.manifests.values()].some((manifest) => manifest.blobs.includes(blob));
  }

  referrersOf(subject: string): readonly KnownManifest[] {
    return [...this.manifests.values()]
      .filter((manifest) => manifest.subject === subject)
      .toSorted((left, right) => (left.digest < right.digest ? -1 : 1));
  }
}

export class CatalogModel {
  readonly repositories = new Map<string, ModelRepository>();
  time: number;

  constructor(time: number) {
    this.time = time;
  }

  ensure(name: string): ModelRepository {
    const repository = this.repositories.get(name) ?? new ModelRepository();
    this.repositories.set(name, repository);
    return repository;
  }

  link(name: string, blob: string): void {
    this.ensure(name).blobs.set(blob, this.time + garbageDelayMs);
  }

  mount(from: string, to: string, blob: string): boolean {
    if (this.repositories.get(from)?.blobs.has(blob) !== true) return false;
    this.link(to, blob);
    return true;
  }

  /** A push that asks for a blob is given time anew when half of it is gone. Whether it is there. */
  keepForPush(name: string, blob: string): boolean {
    const repository = this.repositories.get(name);
    if (repository?.blobs.has(blob) !== true) return false;
    const dueAt = repository.blobs.get(blob);
    if (dueAt !== undefined && dueAt < this.time + garbageDelayMs / 2) this.link(name, blob);
    return true;
  }

  /** The first reference that is missing, in the order of checks; undefined when the push succeeds. */
  push(name: string, manifest: KnownManifest, newTags: readonly string[]): string | undefined {
    const repository = this.repositories.get(name) ?? new ModelRepository();
    if (!repository.manifests.has(manifest.digest)) {
      const missing =
        manifest.blobs.find((blob) => !repository.blobs.has(blob)) ??
        manifest.children.find((child) => !repository.manifests.has(child));
      if (missing !== undefined) return missing;
      repository.manifests.set(manifest.digest, manifest);
    }
    for (const tag of newTags) repository.tags.set(tag, manifest.digest);
    this.repositories.set(name, repository);
    return undefined;
  }

  deleteTag(name: string, tag: string): boolean {
    return this.repositories.get(name)?.tags.delete(tag) === true;
  }

  decide(name: string, digest: string, isPassed: boolean): boolean {
    const repository = this.repositories.get(name);
    if (repository?.manifests.has(digest) !== true) return false;
    if (isPassed) repository.passed.add(digest);
    else repository.passed.delete(digest);
    return true;
  }

  deleteManifest(name: string, digest: string): boolean {
    const repository = this.repositories.get(name);
    const manifest = repository?.manifests.get(digest);
    if (repository === undefined || manifest === undefined) return false;
    repository.passed.delete(digest);
    repository.manifests.delete(digest);
    for (const [tag, target] of repository.tags) if (target === digest) repository.tags.delete(tag);
    for (const blob of manifest.blobs) repository.blobs.set(blob, this.time + garbageDelayMs);
    return true;
  }

  deleteBlob(name: string, blob: string): 202 | 404 | 405 {
    const repository = this.repositories.get(name);
    if (repository?.blobs.has(blob) !== true) return 404;
    if (repository.isUsed(blob)) return 405;
    repository.blobs.delete(blob);
    return 202;
  }

  deleteRepository(name: string): boolean {
    return this.repositories.delete(name);
  }

  collect(): void {
    for (const repository of this.repositories.values()) {
      for (const [blob, dueAt] of repository.blobs) {
        if (dueAt === undefined || dueAt > this.time) continue;
        if (repository.isUsed(blob)) repository.blobs.set(blob, undefined);
        else repository.blobs.delete(blob);
      }
    }
  }

  listed(): readonly string[] {
    return [...this.repositories]
      .filter(([, repository]) => repository.isListed)
      .map(([name]) => name)
      .toSorted();
  }
}
