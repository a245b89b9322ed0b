import { defineTransaction, lockRows } from '../../platform/database/index.ts';
import type { Plan } from '../../tenancy/index.ts';
import { leaveDirectory } from '../settings/apply-directory.ts';

export interface LeaveReplica {
  readonly registryId: number;
  readonly name: string;
  readonly home: string;
  /** Its id in the resource manager, in lower case. */
  readonly scope: string;
  /** Of the default registry, which every deployment has: what the empty one is like that takes its place. */
  readonly successor: { readonly location: string; readonly plan: Plan } | undefined;
  readonly now: number;
}

/**
 * Takes a replica away: its name is free at once, nothing of it can be reached, its content goes later as that of a deleted
 * registry does. Elsewhere everything stays. False when it was gone, or has another home now.
 */
export const leaveReplica = defineTransaction('replication.leave', async (tx, input: LeaveReplica): Promise<boolean> => {
  const { registryId, name, home, now } = input;
  const before = await lockRows(
    tx
      .selectFrom('registries')
      .select(['home_region', 'resource_group'])
      .where('id', '=', registryId)
      .where('deleted_at', 'is', null),
  ).executeTakeFirst();
  if (before?.home_region !== home) return false;
  await tx
    .updateTable('registries')
    .set({ deleted_at: now, name: `${name} deleted ${registryId}` })
    .where('id', '=', registryId)
    .execute();
  for (const table of ['admin_users', 'resources', 'home_keys', 'region_feeds', 'pending_manifests', 'region_copies'] as const)
    await tx.deleteFrom(table).where('registry_id', '=', registryId).execute();
  await leaveDirectory(tx, { registryId, scope: input.scope });
  if (input.successor !== undefined)
    await tx
      .insertInto('registries')
      .values({
        name,
        anonymous_pull: 0,
        resource_group: before.resource_group,
        ...input.successor,
        created_at: now,
        created_by: '',
        updated_at: now,
        updated_by: '',
      })
      .execute();
  return true;
});
