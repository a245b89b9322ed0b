import { setTimeout as delay } from 'node:timers/promises';
import { parseDigest } from '@berth/oci';
import { toCopy } from './bring-blobs.ts';
import type { CopyContext } from './copy-context.ts';
import { type DamagedBlob, damagedBlobs } from './queries.ts';

/** Of one registry in one round: more is a lost disk, which takes rounds. */
const blobsPerRound = 100;
const atOnce = 2;
const roundMs = 60_000;
/** Before what no region could give is asked for again, if nobody asks. */
const patienceMs = 600_000;

/** Replaces blobs whose stored parts do not open by what other regions have (attack 37). */
export class Repairer {
  readonly #context: CopyContext;
  /** By registry and digest: when to try again. */
  readonly #failed = new Map<string, number>();
  readonly #repaired = new Map<number, number>();
  readonly #asked = new Set<number>();
  #wake = Promise.withResolvers<void>();

  constructor(context: CopyContext) {
    this.#context = context;
  }

  /** Blobs that were repaired since the start. */
  repaired(registryId: number): number {
    return this.#repaired.get(registryId) ?? 0;
  }

  get total(): number {
    return [...this.#repaired.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Damage of a registry was found just now. */
  wake(registryId: number): void {
    this.#asked.add(registryId);
    this.#wake.resolve();
  }

  /** Resolves once `signal` has aborted and nothing is in work any more. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const woken = this.#wake.promise;
      const asked = new Set(this.#asked);
      this.#asked.clear();
      for (const { id, name, isReplicated } of this.#context.registries.all()) {
        if (isReplicated !== true || signal.aborted) continue;
        await this.#round({ registryId: id, registry: name, isAsked: asked.has(id), signal });
      }
      const stop = new AbortController();
      const pause = delay(roundMs, undefined, { signal: AbortSignal.any([signal, stop.signal]), ref: false });
      await Promise.race([woken, pause.catch(() => undefined)]);
      stop.abort();
    }
  }

  /** Never rejects. */
  async #round(round: Round): Promise<void> {
    try {
      const damaged = await damagedBlobs(this.#context.database.read, round.registryId, blobsPerRound);
      const now = this.#context.clock.now();
      const due = damaged.filter((blob) => round.isAsked || (this.#failed.get(keyOf(round, blob)) ?? 0) <= now);
      this.#forget(round.registryId, new Set(damaged.map((blob) => keyOf(round, blob))));
      const left = due.values();
      const worker = async (): Promise<void> => {
        for (const blob of left) if (!round.signal.aborted) await this.#repair(round, blob);
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
    } catch (error) {
      if (!round.signal.aborted)
        this.#context.log.error({ err: error }, 'damaged content could not be looked at; it will be again');
    }
  }

  #forget(registryId: number, known: ReadonlySet<string>): void {
    for (const key of this.#failed.keys()) if (key.startsWith(`${registryId}:`) && !known.has(key)) this.#failed.delete(key);
  }

  async #repair(round: Round, { repository, digest, sizeBytes }: DamagedBlob): Promise<void> {
    const { bringer, peers, log, clock } = this.#context;
    const { registryId, registry, signal } = round;
    const names = { registry, principalId: `region:${peers.region}` };
    const content = { digest: parseDigest(digest), sizeBytes, isOptional: false };
    try {
      await bringer.bring(toCopy({ registryId, repository, source: '' }, content, names), { isUrgent: false, signal });
      this.#failed.delete(keyOf(round, { digest }));
      this.#repaired.set(registryId, this.repaired(registryId) + 1);
      log.warn({ digest, repository }, 'damaged content was replaced by what another region has');
    } catch (error) {
      if (signal.aborted) return;
      this.#failed.set(keyOf(round, { digest }), clock.now() + patienceMs);
      log.error({ err: error, digest, repository }, 'damaged content could not be replaced by what another region has');
    }
  }
}

interface Round {
  readonly registryId: number;
  readonly registry: string;
  /** Somebody has just met the damage. */
  readonly isAsked: boolean;
  readonly signal: AbortSignal;
}

function keyOf({ registryId }: { readonly registryId: number }, { digest }: { readonly digest: string }): string {
  return `${registryId}:${digest}`;
}
