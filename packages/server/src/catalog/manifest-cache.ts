/** Larger documents are rare, and one of them would push out hundreds of others. */
const maxEntryBytes = 1 << 20;

/** What an entry costs beside its content: key, headers, buffer. */
const overheadBytes = 1024;

/** A manifest ready to be sent. */
export interface OpenedManifest {
  readonly mediaType: string;
  readonly content: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Opened manifests by registry and digest, the least recently used dropped first. Content never changes under a digest,
 * and access is decided by the database before this is asked, so an entry can never be wrong (attack 26).
 */
export class ManifestCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, OpenedManifest>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(registryId: number, digest: string): OpenedManifest | undefined {
    const key = `${registryId}:${digest}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(registryId: number, digest: string, manifest: OpenedManifest): void {
    if (manifest.content.length > maxEntryBytes || costOf(manifest) > this.#maxBytes) return;
    const key = `${registryId}:${digest}`;
    this.#drop(key);
    this.#entries.set(key, manifest);
    this.#bytes += costOf(manifest);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= costOf(entry);
  }
}

function costOf(manifest: OpenedManifest): number {
  return manifest.content.length + overheadBytes;
}
