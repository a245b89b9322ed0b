import {
  type PreparedRead,
  type ReadQueries,
  type WriteQueries,
  lockFreeRows,
  prepareRead,
} from '../../platform/database/index.ts';
import { queued } from '../queries.ts';

/** What an agent can execute. */
export interface AgentWants {
  readonly keyId: string;
  /** Undefined: of every registry. */
  readonly registryId: number | undefined;
  readonly agentPool: string | null;
  readonly os: string;
  readonly architectures: readonly string[];
}

export interface WaitingRun {
  readonly id: number;
  readonly registry_id: number;
}

/** Runs that wait for such an agent, the oldest first. */
export function waitingFor(
  db: ReadQueries | WriteQueries,
  { registryId, agentPool, os, architectures }: AgentWants,
  fullRegistries: readonly number[],
) {
  let query = db
    .selectFrom('runs')
    .select(['id', 'registry_id'])
    .where('status', '=', queued)
    .where('os', '=', os)
    .where('architecture', 'in', architectures)
    .where('agent_pool', agentPool === null ? 'is' : '=', agentPool);
  if (registryId !== undefined) query = query.where('registry_id', '=', registryId);
  if (fullRegistries.length > 0) query = query.where('registry_id', 'not in', fullRegistries);
  return query.orderBy('id').limit(1);
}

/** The run that has waited the longest for such an agent, as it is seen from outside. */
export function seeWaiting(db: ReadQueries, wants: AgentWants): Promise<WaitingRun | undefined> {
  return preparedFor(wants, false).first(db, slotsOf(wants));
}

/** The same in a transaction, which keeps it: nobody else gets it until that ends. */
export function lockWaiting(
  tx: WriteQueries,
  wants: AgentWants,
  fullRegistries: readonly number[],
): Promise<WaitingRun | undefined> {
  if (fullRegistries.length > 0) return lockFreeRows(waitingFor(tx, wants, fullRegistries)).executeTakeFirst();
  return preparedFor(wants, true).first(tx, slotsOf(wants));
}

type Slots = {
  readonly os: string;
  readonly agentPool: string;
  readonly registryId: number;
  readonly [architecture: `architecture${number}`]: string;
};

/** One for each shape that wants have: idle agents ask every second, busy ones after each run. */
const prepared = new Map<string, PreparedRead<Slots, WaitingRun>>();

function preparedFor(wants: AgentWants, isLocking: boolean): PreparedRead<Slots, WaitingRun> {
  const shape = [isLocking, wants.registryId === undefined, wants.agentPool === null, wants.architectures.length].join(' ');
  const known = prepared.get(shape);
  if (known !== undefined) return known;
  const { keyId, registryId, agentPool, architectures } = wants;
  const made = prepareRead<Slots, WaitingRun>((db, slots) => {
    const placeholders: AgentWants = {
      keyId,
      registryId: registryId === undefined ? undefined : slots.registryId,
      agentPool: agentPool === null ? null : slots.agentPool,
      os: slots.os,
      architectures: architectures.map((_, index) => slots[`architecture${index}`] ?? ''),
    };
    const query = waitingFor(db, placeholders, []);
    return isLocking ? lockFreeRows(query) : query;
  });
  prepared.set(shape, made);
  return made;
}

function slotsOf({ os, agentPool, registryId, architectures }: AgentWants): Slots {
  const named = architectures.map((architecture, index) => [`architecture${index}`, architecture] as const);
  return { os, agentPool: agentPool ?? '', registryId: registryId ?? 0, ...Object.fromEntries(named) };
}
