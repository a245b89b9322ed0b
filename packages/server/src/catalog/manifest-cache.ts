/** Larger documents are rare, and one of them would push out hundreds of others. */
const maxEntryBytes = 1 << 20;

/**
 * Opened manifest bytes by registry and digest, the least recently used dropped first. Content never changes under a
 * digest, and access is decided by the database before this is asked, so an entry can never be wrong.
 */
export class ManifestCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Buffer>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(registryId: number, digest: string): Buffer | undefined {
    const key = `${registryId}:${digest}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(registryId: number, digest: string, content: Buffer): void {
    if (content.length > maxEntryBytes || content.length > this.#maxBytes) return;
    const key = `${registryId}:${digest}`;
    const old = this.#entries.get(key);
    if (old !== undefined) this.#bytes -= old.length;
    this.#entries.delete(key);
    this.#entries.set(key, content);
    this.#bytes += content.length;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.length;
    }
  }
}
