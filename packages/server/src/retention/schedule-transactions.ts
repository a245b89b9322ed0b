import { RegistryError } from '../errors/index.ts';
import { defineTransaction, lockRows } from '../platform/database/index.ts';

export interface PutSchedule {
  readonly registryId: number;
  readonly name: string;
  readonly schedule: string;
  readonly request: string;
  readonly nextAt: number | null;
  readonly maxSchedules: number;
  readonly now: number;
}

/** @throws QUOTA_EXCEEDED */
export const putSchedule = defineTransaction(
  'retention.put-schedule',
  async (tx, input: PutSchedule): Promise<'created' | 'replaced'> => {
    const { registryId: registry_id, name, schedule, request, nextAt: next_at, now: updated_at } = input;
    // One change of a registry's schedules at a time, so that their number holds.
    await lockRows(tx.selectFrom('registries').select('id').where('id', '=', registry_id)).execute();
    const others = await tx.selectFrom('purge_schedules').select('name').where('registry_id', '=', registry_id).execute();
    const isKnown = others.some((row) => row.name === name);
    if (!isKnown && others.length >= input.maxSchedules)
      throw new RegistryError('QUOTA_EXCEEDED', {
        message: `a registry has ${input.maxSchedules} purge schedules at the most: delete one first`,
      });
    const values = { schedule, request, next_at, updated_at };
    await tx
      .insertInto('purge_schedules')
      .values({ registry_id, name, ...values, held_until: null, last_at: null, last_result: null })
      .onConflict((conflict) => conflict.columns(['registry_id', 'name']).doUpdateSet(values))
      .execute();
    return isKnown ? 'replaced' : 'created';
  },
);

/** Whether there was one. */
export const deleteSchedule = defineTransaction(
  'retention.delete-schedule',
  async (tx, { registryId, name }: { readonly registryId: number; readonly name: string }): Promise<boolean> => {
    const deleted = await tx
      .deleteFrom('purge_schedules')
      .where('registry_id', '=', registryId)
      .where('name', '=', name)
      .returning('name')
      .executeTakeFirst();
    return deleted !== undefined;
  },
);

export interface DuePurge {
  readonly registryId: number;
  readonly name: string;
  readonly schedule: string;
  readonly request: string;
}

/** Takes what has been due the longest, unless another process holds it; undefined: nothing is due. */
export const takeDuePurge = defineTransaction(
  'retention.take-due-purge',
  async (tx, { now, heldUntil }: { readonly now: number; readonly heldUntil: number }): Promise<DuePurge | undefined> => {
    const due = await lockRows(
      tx
        .selectFrom('purge_schedules')
        .select(['registry_id as registryId', 'name', 'schedule', 'request'])
        .where('next_at', '<=', now)
        .where((where) => where.or([where('held_until', 'is', null), where('held_until', '<=', now)]))
        .orderBy('next_at')
        .limit(1),
    ).executeTakeFirst();
    if (due === undefined) return undefined;
    await tx
      .updateTable('purge_schedules')
      .set({ held_until: heldUntil })
      .where('registry_id', '=', due.registryId)
      .where('name', '=', due.name)
      .execute();
    return due;
  },
);

export interface HoldPurge {
  readonly registryId: number;
  readonly name: string;
  /** Null: it is done, or given up. */
  readonly heldUntil: number | null;
  /** What became of it, and when it comes again. */
  readonly ended?: { readonly at: number; readonly result: string; readonly nextAt: number | null };
}

/** Goes on holding a purge, or ends it. */
export const holdPurge = defineTransaction('retention.hold-purge', async (tx, hold: HoldPurge): Promise<void> => {
  const { registryId, name, heldUntil: held_until, ended } = hold;
  await tx
    .updateTable('purge_schedules')
    .set({ held_until, ...(ended && { last_at: ended.at, last_result: ended.result, next_at: ended.nextAt }) })
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .execute();
});
