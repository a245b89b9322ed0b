import { lockTag, removeManifest, removeTag } from '../catalog/index.ts';
import { RegistryError } from '../errors/index.ts';
import { type TransactionDefinition, type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { findRepository } from '../repositories/index.ts';
import { deleteSchedule, holdPurge, putSchedule, takeDuePurge } from './schedule-transactions.ts';

/**
 * - `removed`; `gone`: somebody else was faster.
 * - `changed`: it was used since it was judged, and stays.
 * - `locked`: it, or its repository.
 * - `needed`: an index lists it, or what it refers to is there.
 */
export type Outcome = 'removed' | 'gone' | 'changed' | 'locked' | 'needed';

export interface Removal {
  readonly registryId: number;
  readonly repository: string;
  /** The tag, or the digest of the manifest. */
  readonly name: string;
  /** As it was when it was judged. */
  readonly updatedAt: number;
  readonly takesLocked: boolean;
  /** When collection should look at the blobs (ms). */
  readonly dueAt: number;
  readonly now: number;
}

/** Untags, after a look whether the tag is still what was judged (attack 17). */
export const untag = defineTransaction('retention.untag', async (tx, removal: Removal): Promise<Outcome> => {
  const { registryId, repository, name, now } = removal;
  const found = await findUnlocked(tx, removal);
  if (typeof found === 'string') return found;
  const tag = await lockTag(tx, found.id, name);
  const refusal = refusalOf(tag, removal);
  if (refusal !== undefined) return refusal;
  await removeTag(tx, { registryId, repository, tag: name, now, isUnlocking: removal.takesLocked });
  return 'removed';
});

/**
 * Deletes a manifest that nothing needs. What came with it, images of an index and referrers, counts as untagged since the
 * same time when nothing else holds it: so it goes by the same rules.
 */
export const deleteUntagged = defineTransaction('retention.delete', async (tx, removal: Removal): Promise<Outcome> => {
  const { registryId, repository, name: digest, dueAt, now } = removal;
  const found = await findUnlocked(tx, removal);
  if (typeof found === 'string') return found;
  const manifest = await lockRows(
    tx
      .selectFrom('manifests')
      .select(['id', 'updated_at', 'untagged_at', 'subject_digest', 'delete_enabled', 'write_enabled'])
      .where('repository_id', '=', found.id)
      .where('digest', '=', digest),
  ).executeTakeFirst();
  const refusal = refusalOf(manifest, removal);
  if (refusal !== undefined || manifest === undefined) return refusal ?? 'gone';
  const tag = await tx.selectFrom('tags').select('name').where('manifest_id', '=', manifest.id).limit(1).executeTakeFirst();
  if (tag !== undefined) return 'changed';
  if (await isNeeded(tx, found.id, digest, manifest.subject_digest)) return 'needed';
  if (manifest.untagged_at !== null) {
    await releaseDependents(tx, { repositoryId: found.id, manifestId: manifest.id, digest, untaggedAt: manifest.untagged_at });
  }
  await removeManifest(tx, { registryId, repository, digest, dueAt, now, isUnlocking: removal.takesLocked });
  return 'removed';
});

async function findUnlocked(tx: WriteQueries, { registryId, repository }: Removal): Promise<{ readonly id: number } | Outcome> {
  const found = await findRepository(tx, registryId, repository);
  if (found === undefined) return 'gone';
  return found.delete_enabled === 0 || found.write_enabled === 0 ? 'locked' : found;
}

function refusalOf(
  item: { readonly updated_at: number; readonly delete_enabled: number; readonly write_enabled: number } | undefined,
  { updatedAt, takesLocked }: Removal,
): Outcome | undefined {
  if (item === undefined) return 'gone';
  if (item.updated_at !== updatedAt) return 'changed';
  return !takesLocked && (item.delete_enabled === 0 || item.write_enabled === 0) ? 'locked' : undefined;
}

async function isNeeded(tx: WriteQueries, repositoryId: number, digest: string, subject: string | null): Promise<boolean> {
  const parent = await tx
    .selectFrom('manifest_children')
    .select('manifest_id')
    .where('repository_id', '=', repositoryId)
    .where('child_digest', '=', digest)
    .limit(1)
    .executeTakeFirst();
  if (parent !== undefined || subject === null) return parent !== undefined;
  const there = await tx
    .selectFrom('manifests')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', subject)
    .executeTakeFirst();
  return there !== undefined;
}

interface Released {
  readonly repositoryId: number;
  readonly manifestId: number;
  readonly digest: string;
  readonly untaggedAt: number;
}

const rowsPerStatement = 500;

async function releaseDependents(tx: WriteQueries, { repositoryId, manifestId, digest, untaggedAt }: Released): Promise<void> {
  const never = tx.selectFrom('manifests').select('manifests.id').where('manifests.repository_id', '=', repositoryId);
  const images = await never
    .innerJoin('manifest_children as listing', 'listing.child_digest', 'manifests.digest')
    .where('listing.manifest_id', '=', manifestId)
    .where('untagged_at', 'is', null)
    .execute();
  const referrers = await never.where('subject_digest', '=', digest).where('untagged_at', 'is', null).execute();
  // In one order: two indexes that share images may go at once (PostgreSQL).
  const ids = [...new Set([...images, ...referrers].map((row) => row.id))].toSorted((a, b) => a - b);
  for (let start = 0; start < ids.length; start += rowsPerStatement) {
    const some = ids.slice(start, start + rowsPerStatement);
    await lockRows(tx.selectFrom('manifests').select('id').where('id', 'in', some).orderBy('id')).execute();
    await tx
      .updateTable('manifests')
      .set({ untagged_at: untaggedAt })
      .where('id', 'in', some)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('tags').select('tags.name').whereRef('tags.manifest_id', '=', 'manifests.id'))),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('manifest_children as other')
              .select('other.manifest_id')
              .whereRef('other.repository_id', '=', 'manifests.repository_id')
              .whereRef('other.child_digest', '=', 'manifests.digest')
              .where('other.manifest_id', '!=', manifestId),
          ),
        ),
      )
      .execute();
  }
}

export interface PutRule {
  readonly registryId: number;
  readonly name: string;
  readonly definition: string;
  readonly isEnabled: boolean;
  readonly maxRules: number;
  readonly now: number;
}

/** @throws QUOTA_EXCEEDED */
export const putRule = defineTransaction('retention.put-rule', async (tx, input: PutRule): Promise<'created' | 'replaced'> => {
  const { registryId: registry_id, name, definition, now } = input;
  // One change of a registry's rules at a time, so that their number holds.
  await lockRows(tx.selectFrom('registries').select('id').where('id', '=', registry_id)).execute();
  const others = await tx.selectFrom('cleanup_rules').select('name').where('registry_id', '=', registry_id).execute();
  const isKnown = others.some((row) => row.name === name);
  if (!isKnown && others.length >= input.maxRules) {
    throw new RegistryError('QUOTA_EXCEEDED', {
      message: `a registry has ${input.maxRules} cleanup rules at the most: delete one first`,
    });
  }
  const values = { definition, is_enabled: Number(input.isEnabled), updated_at: now };
  await tx
    .insertInto('cleanup_rules')
    .values({ registry_id, name, ...values })
    .onConflict((conflict) => conflict.columns(['registry_id', 'name']).doUpdateSet(values))
    .execute();
  return isKnown ? 'replaced' : 'created';
});

/** Whether there was one. */
export const deleteRule = defineTransaction(
  'retention.delete-rule',
  async (tx, { registryId, name }: { readonly registryId: number; readonly name: string }): Promise<boolean> => {
    const deleted = await tx
      .deleteFrom('cleanup_rules')
      .where('registry_id', '=', registryId)
      .where('name', '=', name)
      .returning('name')
      .executeTakeFirst();
    return deleted !== undefined;
  },
);

export const retentionTransactions: readonly TransactionDefinition<never, unknown>[] = [
  untag,
  deleteUntagged,
  putRule,
  deleteRule,
  putSchedule,
  deleteSchedule,
  takeDuePurge,
  holdPurge,
];
