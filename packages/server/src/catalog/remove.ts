import type { WriteQueries } from '../platform/database/index.ts';
import { updateAttributes } from './acr/update-attributes.ts';
import { type DeleteManifest, type DeleteOutcome, type DeleteTag, deleteManifest, deleteTag } from './transactions.ts';

interface Unlocking {
  /** Locks of the item itself are taken off first; those of its repository hold. */
  readonly isUnlocking: boolean;
}

/**
 * Deletes a tag as a client would, as a part of the caller's transaction: who deletes by rules looks there first whether
 * they still hold. @throws REGISTRY_DISALLOWED_OPERATION
 */
export async function removeTag(tx: WriteQueries, { isUnlocking, ...input }: DeleteTag & Unlocking): Promise<DeleteOutcome> {
  if (isUnlocking) await unlock(tx, input, { tag: input.tag });
  return deleteTag.run(tx, input);
}

/** The same for a manifest with its tags. @throws REGISTRY_DISALLOWED_OPERATION */
export async function removeManifest(
  tx: WriteQueries,
  { isUnlocking, ...input }: DeleteManifest & Unlocking,
): Promise<DeleteOutcome> {
  if (isUnlocking) await unlock(tx, input, { digest: input.digest });
  return deleteManifest.run(tx, input);
}

async function unlock(
  tx: WriteQueries,
  { registryId, repository, now }: Pick<DeleteTag, 'registryId' | 'repository' | 'now'>,
  of: { readonly tag: string } | { readonly digest: string },
): Promise<void> {
  await updateAttributes.run(tx, { registryId, repository, of, flags: { delete_enabled: 1, write_enabled: 1 }, now });
}
