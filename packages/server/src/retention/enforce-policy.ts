import type { Registry } from '../tenancy/index.ts';
import { breathe } from './breathe.ts';
import type { Decision, RetentionContext } from './model.ts';
import { type UntaggedManifest, imageSizes, untaggedAfter } from './queries.ts';
import { type SweepTotals, Tally, nothingDone, removeAll } from './sweep.ts';

const dayMs = 86_400_000;

/** Each pass frees what the one before held: indexes, then their images, then the images' signatures. */
const maxPasses = 6;

export interface EnforceOptions {
  readonly signal: AbortSignal;
  /** Waits between pages, so that requests are served meanwhile. */
  readonly pause: () => Promise<void>;
}

/**
 * The registry's retention policy (acr-api 6.2): manifests that became untagged since it was set go after so many days,
 * of whatever type. Locked ones stay, and so does what an index lists or what refers to something that is there.
 */
export async function enforcePolicy(
  context: RetentionContext,
  { id: registryId, policies }: Pick<Registry, 'id' | 'policies'>,
  { signal, pause }: EnforceOptions,
): Promise<SweepTotals> {
  const { retentionDays: days, retentionSince: since } = policies;
  if (days === undefined) return nothingDone;
  const { database, clock } = context;
  const tally = new Tally(undefined);
  const until = clock.now() - days * dayMs;
  const reason = `without a tag for ${days} days or longer (retention policy)`;
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const before = tally.totals.manifestsRemoved;
    for (let after = { at: since - 1, id: 0 }; ; ) {
      await breathe(signal);
      const page = await untaggedAfter(database.read, { registryId, since, until, after });
      const last = page.at(-1);
      if (last === undefined) break;
      after = { at: last.at, id: last.id };
      const due = page.filter(isFree);
      const sizes = await imageSizes(
        database.read,
        due.map((manifest) => manifest.id),
      );
      const decisions = due.map(
        ({ repository, digest, updated_at: updatedAt, id }): Decision => ({
          repository,
          action: 'delete',
          name: digest,
          reason,
          sizeBytes: sizes.get(id) ?? 0,
          updatedAt,
        }),
      );
      await removeAll(context, decisions, { registryId, plan: { takesLocked: false }, tally });
      if (due.length > 0) await pause();
    }
    if (tally.totals.manifestsRemoved === before) break;
  }
  return tally.totals;
}

function isFree(manifest: UntaggedManifest): boolean {
  return manifest.is_tagged + manifest.is_child + manifest.has_subject + manifest.is_locked === 0;
}
