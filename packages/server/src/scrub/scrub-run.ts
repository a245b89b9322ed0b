import { setImmediate as nextTurn } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { PartDamagedError, type SealedStore } from '../platform/blob-store/index.ts';
import type { Clock } from '../platform/clock.ts';
import { clearDamage, knownDamage, recordDamage } from '../platform/damage/index.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Pace } from '../platform/pace/index.ts';
import { releaseMemory } from '../platform/memory/index.ts';
import { SealBrokenError, openBytes } from '../platform/sealing/index.ts';
import { type Damage, type ScrubProgress, maxListedDamage, neverScrubbed } from './model.ts';
import { type ManifestToCheck, type PartToCheck, manifestsAfter, partsAfter, sealedManifest } from './queries.ts';

export interface ScrubContext {
  readonly database: Database;
  readonly store: SealedStore;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  /** Other regions may have what is damaged here. */
  readonly elsewhere?: {
    /** Damage of this registry was found just now: it is repaired in the background. */
    damaged(registryId: number): void;
    /** Blobs that were repaired since the start. */
    repaired(registryId: number): number;
  };
}

const pageSize = 200;

/** One walk over everything that a registry has stored. It reads and opens; what is sound costs no write. */
export class ScrubRun {
  readonly #context: ScrubContext;
  readonly #registryId: number;
  readonly #pace: Pace;
  readonly #signal: AbortSignal;
  readonly #damagedManifests = new Map<number, Damage>();
  #progress: ScrubProgress = neverScrubbed;

  constructor(
    context: ScrubContext,
    options: { readonly registryId: number; readonly pace: Pace; readonly signal: AbortSignal },
  ) {
    this.#context = context;
    this.#registryId = options.registryId;
    this.#pace = options.pace;
    this.#signal = options.signal;
  }

  get progress(): ScrubProgress {
    return this.#progress;
  }

  /** Resolves when everything was checked, or the run had to stop; never rejects. */
  async run(): Promise<void> {
    const { clock, log } = this.#context;
    this.#progress = { ...neverScrubbed, state: 'running', startedAt: clock.now() };
    try {
      await this.#checkParts();
      await this.#checkManifests();
      this.#progress = { ...this.#progress, state: 'finished', finishedAt: clock.now() };
    } catch (error) {
      this.#progress = { ...this.#progress, state: 'stopped', finishedAt: clock.now() };
      if (!this.#signal.aborted) log.error({ err: error }, 'the scrub stopped early');
    }
  }

  /** Manifests that did not open and are still what is stored. */
  async damagedManifests(): Promise<readonly Damage[]> {
    for (const [id] of this.#damagedManifests) {
      if ((await this.#problemOf({ id })) === undefined) this.#damagedManifests.delete(id);
    }
    return [...this.#damagedManifests.values()];
  }

  async #checkParts(): Promise<void> {
    const { database } = this.#context;
    const damaged = new Set((await knownDamage(database.read, this.#registryId, maxListedDamage)).map((row) => row.part_name));
    for (let after = ''; ; ) {
      const page = await partsAfter(database.read, this.#registryId, after, pageSize);
      for (const part of page) await this.#checkPart(part, damaged.has(part.name));
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.name;
    }
  }

  async #checkPart(part: PartToCheck, wasDamaged: boolean): Promise<void> {
    const { database, store, keys, clock, log } = this.#context;
    const key = keys.get(this.#registryId, part.data_key_id);
    const range = { start: 0, end: part.size_bytes, sizeBytes: part.size_bytes };
    try {
      for await (const buffers of store.read(part.name, key, range, this.#signal)) {
        const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
        for (const buffer of buffers) releaseMemory(buffer);
        this.#progress = { ...this.#progress, bytesChecked: this.#progress.bytesChecked + bytes };
        await this.#spend(bytes);
      }
      if (wasDamaged) await database.write(clearDamage, { name: part.name });
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      // Otherwise it was deleted while we looked.
      if (await database.write(recordDamage, { name: part.name, reason, now: clock.now() })) {
        log.error({ err: error, part: part.name }, 'a stored part is damaged');
        this.#context.elsewhere?.damaged(this.#registryId);
      }
    }
    this.#progress = { ...this.#progress, partsChecked: this.#progress.partsChecked + 1 };
  }

  /** Resolves when as much may be read next. Rejects when the scrub is stopped. */
  async #spend(bytes: number): Promise<void> {
    this.#signal.throwIfAborted();
    // Where reading needs no waiting (the database, the memory), the loop would see nothing else.
    await (this.#pace.spend(bytes, this.#signal) ?? nextTurn(undefined, { signal: this.#signal }));
  }

  async #checkManifests(): Promise<void> {
    for (let after = 0; ; ) {
      const page = await manifestsAfter(this.#context.database.read, this.#registryId, after, pageSize);
      for (const manifest of page) await this.#checkManifest(manifest);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }

  async #checkManifest(manifest: ManifestToCheck): Promise<void> {
    const reason = await this.#problemOf(manifest);
    const { manifestsChecked, bytesChecked } = this.#progress;
    this.#progress = {
      ...this.#progress,
      manifestsChecked: manifestsChecked + 1,
      bytesChecked: bytesChecked + manifest.size_bytes,
    };
    if (reason !== undefined && this.#damagedManifests.size < maxListedDamage) {
      const { repository, digest } = manifest;
      this.#context.log.error({ repository, digest, reason }, 'a stored manifest is damaged');
      const part = `manifest of ${repository}`;
      this.#damagedManifests.set(manifest.id, { part, digest, reason, foundAt: this.#context.clock.now() });
    }
    await this.#spend(manifest.size_bytes);
  }

  async #problemOf({ id }: { readonly id: number }): Promise<string | undefined> {
    const { database, keys } = this.#context;
    const sealed = await sealedManifest(database.read, id);
    // Deleted since the page was read.
    if (sealed === undefined) return undefined;
    const key = keys.get(this.#registryId, sealed.data_key_id);
    try {
      // The associated data is that of the table `manifests`.
      const content = openBytes(key, `manifest:${this.#registryId}:${sealed.digest}`, sealed.sealed_content);
      const [algorithm = ''] = sealed.digest.split(':', 1);
      const actual = `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
      if (actual !== sealed.digest) return `its bytes have the digest ${actual}`;
      if (sealed.sealed_annotations !== null) {
        openBytes(key, `annotations:${this.#registryId}:${sealed.digest}`, sealed.sealed_annotations);
      }
      return undefined;
    } catch (error) {
      if (error instanceof SealBrokenError) return error.message;
      throw error;
    }
  }
}

/** Why content cannot be read for good; undefined for what may be better next time. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof PartDamagedError) return error.message;
  // The disk itself says that the bytes are lost.
  return error instanceof Error && 'code' in error && error.code === 'EIO' ? 'it cannot be read from the disk' : undefined;
}
