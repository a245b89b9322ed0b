import { RegistryError } from '../../errors/index.ts';
import { type MachineKeyRow, defineTransaction, lockRows, prepareRead, prepareWrite } from '../../platform/database/index.ts';
import { dropRunKey, putRunKey } from '../../platform/run-keys/index.ts';
import { countRunning } from '../queries.ts';
import { type PlainRunRow, runColumns } from '../run-facts.ts';
import { type AgentWants, lockWaiting } from './waiting.ts';

export interface ClaimRun extends AgentWants {
  readonly agent: string;
  /** Hash of the lease. */
  readonly lease: string;
  readonly leasedUntil: number;
  readonly runsAtOnce: number;
  readonly now: number;
  /** What the run that was first in line signs in with, if it is the one that is taken. */
  readonly expected: { readonly rowId: number; readonly key: MachineKeyRow } | undefined;
}

export interface ClaimedRun {
  readonly run: PlainRunRow;
  /** Whether it has the key that was expected to be its own. */
  readonly hasKey: boolean;
}

/** Registries whose runs an agent may not take for now, in one claim. */
const maxFullRegistries = 100;

const lockCounter = prepareRead<{ readonly registryId: number }, { readonly last: number }>((tx, { registryId }) =>
  lockRows(tx.selectFrom('run_counters').select('last').where('registry_id', '=', registryId)),
);

type StartRow = Pick<ClaimRun, 'keyId' | 'agent' | 'lease' | 'leasedUntil' | 'now'> & Readonly<{ id: number }>;

const startRow = prepareWrite<StartRow, PlainRunRow>((tx, { id, keyId, agent, lease, leasedUntil, now }) =>
  tx
    .updateTable('runs')
    .set({ status: 'Started', started_at: now, updated_at: now, agent_key_id: keyId, agent, lease, leased_until: leasedUntil })
    .where('id', '=', id)
    .returning(runColumns),
);

/** Takes the run that has waited the longest, for one agent alone. */
export const claimRun = defineTransaction('runs.claim', async (tx, input: ClaimRun): Promise<ClaimedRun | undefined> => {
  const { agent, keyId, lease, leasedUntil, now, runsAtOnce, expected } = input;
  const full: number[] = [];
  while (full.length < maxFullRegistries) {
    const next = await lockWaiting(tx, input, full);
    if (next === undefined) return undefined;
    // Others that claim in the registry wait here, so that all of them together keep to the limit.
    await lockCounter.all(tx, { registryId: next.registry_id });
    if (((await countRunning(tx)).get(next.registry_id) ?? 0) >= runsAtOnce) {
      full.push(next.registry_id);
      continue;
    }
    const [run] = await startRow.run(tx, { id: next.id, keyId, agent, lease, leasedUntil, now });
    if (run === undefined) throw new Error('a run that was locked is gone');
    const hasKey = expected?.rowId === next.id;
    if (hasKey) await putRunKey(tx, expected.key);
    return { run, hasKey };
  }
  return undefined;
});

/** Gives a key to a run that an agent holds. False: it does not any more. */
export const giveKey = defineTransaction(
  'runs.give-key',
  async (
    tx,
    { rowId, lease, key }: { readonly rowId: number; readonly lease: string; readonly key: MachineKeyRow },
  ): Promise<boolean> => {
    const row = tx.selectFrom('runs').select(['lease', 'leased_until']).where('id', '=', rowId);
    const held = await lockRows(row).executeTakeFirst();
    if (held?.lease !== lease || held.leased_until === null) return false;
    await putRunKey(tx, key);
    return true;
  },
);

/** An assignment did not reach its agent: the run waits again, where it waited. */
export const giveBack = defineTransaction(
  'runs.give-back',
  async (
    tx,
    { rowId, lease, now }: { readonly rowId: number; readonly lease: string; readonly now: number },
  ): Promise<boolean> => {
    const nobody = { agent_key_id: null, agent: null, lease: null, leased_until: null };
    const back = await tx
      .updateTable('runs')
      .set({ status: 'Queued', started_at: null, updated_at: now, ...nobody })
      .where('id', '=', rowId)
      .where('lease', '=', lease)
      .where('status', '=', 'Started')
      .where('cancel_requested_at', 'is', null)
      .returning(['registry_id', 'run_id'])
      .executeTakeFirst();
    if (back !== undefined) await dropRunKey(tx, back.registry_id, back.run_id);
    return back !== undefined;
  },
);

export interface RememberAgent {
  readonly keyId: string;
  readonly name: string;
  /** JSON. */
  readonly description: string;
  readonly maxAgents: number;
  readonly now: number;
}

/** @throws TOOMANYREQUESTS when a key has so many agents that somebody makes names up */
export const rememberAgent = defineTransaction('runs.remember-agent', async (tx, input: RememberAgent): Promise<void> => {
  const { keyId, name, description, maxAgents, now } = input;
  const known = await tx
    .updateTable('agents')
    .set({ description, seen_at: now })
    .where('key_id', '=', keyId)
    .where('name', '=', name)
    .returning('name')
    .executeTakeFirst();
  if (known !== undefined) return;
  const others = await tx
    .selectFrom('agents')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('key_id', '=', keyId)
    .executeTakeFirst();
  if (Number(others?.count ?? 0) >= maxAgents)
    throw new RegistryError('TOOMANYREQUESTS', {
      message: `${maxAgents} agents have used this key within the last day: give agents names that they keep, or make another key`,
    });
  await tx
    .insertInto('agents')
    .values({ key_id: keyId, name, description, seen_at: now })
    .onConflict((conflict) => conflict.columns(['key_id', 'name']).doUpdateSet({ description, seen_at: now }))
    .execute();
});

/** Agents that have not been seen for long. */
export const forgetAgents = defineTransaction(
  'runs.forget-agents',
  async (tx, { seenBefore }: { readonly seenBefore: number }): Promise<void> => {
    await tx.deleteFrom('agents').where('seen_at', '<', seenBefore).execute();
  },
);

export const agentTransactions = [claimRun, giveKey, giveBack, rememberAgent, forgetAgents];
