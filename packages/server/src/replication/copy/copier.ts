import { setTimeout as delay } from 'node:timers/promises';
import { releaseClaims } from '../merge/claims.ts';
import type { ClaimedManifest } from '../merge/model.ts';
import { claimPending, failPending, giveBackClaim, renewClaims } from '../merge/pending.ts';
import { completeManifest } from './complete-manifest.ts';
import type { CopyContext } from './copy-context.ts';
import { retryDelayMs } from './model.ts';
import { reasonOf } from './open-at-peers.ts';
import { isAnyDue } from './queries.ts';
import { countCopies, hurryPending } from './transactions.ts';

/** Manifests in work at once: a few rows each, while their blobs wait for their turn. */
const maxInWork = 256;
const claimsAtOnce = 32;
/** Without any region that answers, only what is here already can become complete. */
const claimsWhileAlone = 4;
/** A third of the time after which a claim is lost. */
const renewalMs = 20_000;
const pollMs = 1_000;
const saveMs = 2_000;

/** Brings what pending manifests need, and makes them complete. */
export class Copier {
  readonly #context: CopyContext;
  readonly #inWork = new Map<number, Promise<void>>();
  /** Of those: they were given back to wait, and their turn came before the work on them was over. */
  readonly #claimedAgain = new Set<number>();
  readonly #up = new Set<string>();
  #wake = Promise.withResolvers<void>();
  #isNewestNext = true;

  constructor(context: CopyContext) {
    this.#context = context;
  }

  /** Manifests in work. */
  get inWork(): number {
    return this.#inWork.size;
  }

  /** There is something to do: at once rather than at the next look. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Resolves once `signal` has aborted and nothing is in work any more. */
  async run(signal: AbortSignal): Promise<void> {
    let isFirst = this.#context.database.engine === 'sqlite';
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const woken = this.#wake.promise;
      try {
        if (isFirst) await this.#context.database.write(releaseClaims, undefined);
        isFirst = false;
        await this.#hurry();
        // As long as there is more than was taken at once.
        while (!signal.aborted && (await this.#claim(signal)) > 0);
      } catch (error) {
        if (!signal.aborted)
          this.#context.log.error({ err: error }, 'pending manifests could not be looked at; they will be again');
      }
      const stop = new AbortController();
      const pause = delay(pollMs, undefined, { signal: AbortSignal.any([signal, stop.signal]), ref: false });
      await Promise.race([woken, pause.catch(() => undefined)]);
      stop.abort();
    }
    await Promise.all(this.#inWork.values());
  }

  /** Prolongs the leases of what is in work, and stores what was counted. */
  async keepUp(signal: AbortSignal): Promise<void> {
    let prolongedAt = performance.now();
    while (!signal.aborted) {
      await delay(saveMs, undefined, { signal, ref: false }).catch(() => undefined);
      try {
        await this.#save();
        if (performance.now() - prolongedAt < renewalMs || this.#inWork.size === 0) continue;
        prolongedAt = performance.now();
        await renewClaims(this.#context, [...this.#inWork.keys()]);
      } catch (error) {
        this.#context.log.error({ err: error }, 'the state of copies could not be stored; it will be tried again');
      }
    }
  }

  async #save(): Promise<void> {
    const { progress, database } = this.#context;
    const unsaved = progress.takeUnsaved();
    if (unsaved.length === 0) return;
    try {
      await database.write(countCopies, unsaved);
    } catch (error) {
      progress.putBack(unsaved);
      throw error;
    }
  }

  /** What waits for a region that answers again is due now. */
  async #hurry(): Promise<void> {
    const { peers, database, clock } = this.#context;
    for (const { name, isUp } of peers.all()) {
      if (isUp && !this.#up.has(name)) await database.write(hurryPending, { region: name, now: clock.now() });
      if (isUp) this.#up.add(name);
      else this.#up.delete(name);
    }
  }

  /**
   * Half of the time what was told last, half of the time what waits longest: a new image need not wait until all of a replica
   * that is being made is here. Returns how many there were.
   */
  async #claim(signal: AbortSignal): Promise<number> {
    const isNewestFirst = this.#isNewestNext;
    this.#isNewestNext = !isNewestFirst;
    let claimed = 0;
    for (const { id, isReplicated } of this.#context.registries.all()) {
      const room = Math.min(maxInWork - this.#inWork.size, this.#up.size > 0 ? claimsAtOnce : claimsWhileAlone);
      if (isReplicated !== true || room <= 0) continue;
      // A read costs nothing; a claim makes others wait.
      if (!(await isAnyDue(this.#context.database.read, id, this.#context.clock.now()))) continue;
      const manifests = await claimPending(this.#context, { registryId: id, limit: room, isNewestFirst });
      for (const manifest of manifests) this.#start(manifest, signal);
      claimed += manifests.length;
    }
    return this.#up.size > 0 ? claimed : 0;
  }

  #start(manifest: ClaimedManifest, signal: AbortSignal): void {
    const { id } = manifest;
    if (this.#inWork.has(id)) {
      this.#claimedAgain.add(id);
      return;
    }
    const isFull = this.#inWork.size + 1 >= maxInWork;
    const work = this.#work(manifest, signal).finally(() => {
      this.#inWork.delete(id);
      if (isFull) this.wake();
      return this.#claimedAgain.delete(id) ? this.#giveBack(id, signal) : undefined;
    });
    this.#inWork.set(id, work);
  }

  /** Otherwise nobody looked at it before the claim ends. Never rejects. */
  async #giveBack(id: number, signal: AbortSignal): Promise<void> {
    try {
      await giveBackClaim(this.#context, id);
      this.wake();
    } catch (error) {
      if (!signal.aborted) this.#context.log.error({ err: error }, 'a manifest could not be given back; its lease will end');
    }
  }

  /** Never rejects. */
  async #work(manifest: ClaimedManifest, signal: AbortSignal): Promise<void> {
    const { log } = this.#context;
    try {
      await completeManifest(this.#context, manifest, { isUrgent: false, signal });
    } catch (error) {
      // After a stop the lease ends, and another process goes on.
      if (signal.aborted) return;
      const { repository, digest, attempts } = manifest;
      const problem = reasonOf(error);
      log.warn({ err: error, repository, digest, attempts }, 'a manifest could not be made complete yet; it will be tried again');
      await failPending(this.#context, { id: manifest.id, problem, retryAfterMs: retryDelayMs(attempts) }).catch(
        (failure: unknown) => {
          log.error({ err: failure, repository, digest }, 'a manifest that waits could not be given back; its lease will end');
        },
      );
    }
  }
}
