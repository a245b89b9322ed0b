import { type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { type TriggerDecision, maxDecisions } from './model.ts';

/**
 * Keeps decisions, and forgets the oldest of their tasks. The same refusal again and again is one row that counts, so that a
 * tag that moves every second does not drive out what happened before.
 */
export async function keepDecisions(tx: WriteQueries, decisions: readonly TriggerDecision[], now: number): Promise<void> {
  for (const decision of decisions) {
    if (!decision.isFired && (await countAgain(tx, decision, now))) continue;
    const { registryId: registry_id, task, trigger: trigger_name, kind, reason, run: run_id } = decision;
    await tx
      .insertInto('trigger_decisions')
      .values({
        registry_id,
        task,
        trigger_name,
        kind,
        reason,
        run_id,
        is_fired: decision.isFired ? 1 : 0,
        details: JSON.stringify(decision.details),
        decided_at: now,
      })
      .execute();
    await forgetOldest(tx, decision);
  }
}

/** Whether the newest decision of the task is the same. */
async function countAgain(tx: WriteQueries, decision: TriggerDecision, now: number): Promise<boolean> {
  const { registryId, task, trigger, kind, reason } = decision;
  const last = await tx
    .selectFrom('trigger_decisions')
    .select(['id', 'trigger_name', 'kind', 'is_fired', 'reason', 'details'])
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined || last.is_fired === 1) return false;
  if (last.trigger_name !== trigger || last.kind !== kind || last.reason !== reason) return false;
  const { times = 1 } = JSON.parse(last.details) as { readonly times?: number };
  const details = JSON.stringify({ ...decision.details, times: times + 1 });
  await tx.updateTable('trigger_decisions').set({ details, decided_at: now }).where('id', '=', last.id).execute();
  return true;
}

async function forgetOldest(tx: WriteQueries, { registryId, task }: Pick<TriggerDecision, 'registryId' | 'task'>): Promise<void> {
  await tx
    .deleteFrom('trigger_decisions')
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('id', '<=', (eb) =>
      eb
        .selectFrom('trigger_decisions as kept')
        .select('kept.id')
        .where('kept.registry_id', '=', registryId)
        .where('kept.task', '=', task)
        .orderBy('kept.id', 'desc')
        .limit(1)
        .offset(maxDecisions),
    )
    .execute();
}

export const recordDecisions = defineTransaction(
  'triggers.record-decisions',
  (tx, { decisions, now }: { readonly decisions: readonly TriggerDecision[]; readonly now: number }): Promise<void> =>
    keepDecisions(tx, decisions, now),
);

/** Returns how many went. */
export const expireDecisions = defineTransaction(
  'triggers.expire-decisions',
  async (tx, { before, limit }: { readonly before: number; readonly limit: number }): Promise<number> => {
    const old = await tx
      .selectFrom('trigger_decisions')
      .select('id')
      .where('decided_at', '<', before)
      .orderBy('decided_at')
      .limit(limit)
      .execute();
    const ids = old.map(({ id }) => id);
    if (ids.length > 0) await tx.deleteFrom('trigger_decisions').where('id', 'in', ids).execute();
    return ids.length;
  },
);
