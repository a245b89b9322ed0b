import type { BlobRecipe } from './content.ts';

/** What an acknowledged or interrupted request may have left behind. `absent`: it may not be there. */
export type Possible = Set<string>;
export const absent = 'absent';
export const present = 'present';

export interface PushedManifest {
  readonly bytes: Buffer;
  readonly blobs: ReadonlyMap<string, BlobRecipe>;
}

/**
 * What one worker knows of its own repository: for every tag and manifest the set of states that its requests so far
 * allow. An acknowledged request leaves one state; one cut off by a kill leaves two.
 */
export class RepositoryLedger {
  readonly name: string;
  readonly tags = new Map<string, Possible>();
  readonly manifests = new Map<string, Possible>();
  readonly contents = new Map<string, PushedManifest>();

  constructor(name: string) {
    this.name = name;
  }

  beginPush(tag: string, digest: string, manifest: PushedManifest): void {
    this.contents.set(digest, manifest);
    possibilities(this.manifests, digest).add(present);
    possibilities(this.tags, tag).add(digest);
  }

  endPush(tag: string, digest: string): void {
    this.manifests.set(digest, new Set([present]));
    this.tags.set(tag, new Set([digest]));
  }

  /** The server refused the push: nothing of it may be visible. */
  refusePush(tag: string, digest: string, before: { readonly tag: Possible; readonly manifest: Possible }): void {
    this.tags.set(tag, before.tag);
    this.manifests.set(digest, before.manifest);
  }

  snapshot(tag: string, digest: string): { readonly tag: Possible; readonly manifest: Possible } {
    return { tag: new Set(possibilities(this.tags, tag)), manifest: new Set(possibilities(this.manifests, digest)) };
  }

  beginUntag(tag: string): void {
    possibilities(this.tags, tag).add(absent);
  }

  endUntag(tag: string): void {
    this.tags.set(tag, new Set([absent]));
  }

  beginDelete(digest: string): void {
    possibilities(this.manifests, digest).add(absent);
    for (const possible of this.tags.values()) if (possible.has(digest)) possible.add(absent);
  }

  endDelete(digest: string): void {
    this.manifests.set(digest, new Set([absent]));
    for (const possible of this.tags.values()) if (possible.delete(digest)) possible.add(absent);
  }

  /** Digests that are surely there. */
  certain(): string[] {
    return [...this.manifests].filter(([, possible]) => possible.size === 1 && possible.has(present)).map(([digest]) => digest);
  }
}

function possibilities(map: Map<string, Possible>, key: string): Possible {
  let possible = map.get(key);
  if (possible === undefined) {
    possible = new Set([absent]);
    map.set(key, possible);
  }
  return possible;
}
