import { createHash, randomBytes } from 'node:crypto';
import type { Assignment, ClaimRequest } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { prepareRead } from '../../platform/database/index.ts';
import type { AgentFacts, Registry } from '../../tenancy/index.ts';
import { endByServer } from '../end-run.ts';
import type { PlainRunRow } from '../run-facts.ts';
import { type RunsContext, leaseMs } from '../runs-context.ts';
import { type PreparedRun, buildAssignment, prepareRun } from './assignment.ts';
import { claimRun, giveBack, giveKey, rememberAgent } from './transactions.ts';
import { type AgentWants, seeWaiting } from './waiting.ts';

/** How often a claim that waits looks whether another process has queued a run. */
const lookMs = 1_000;
/** An assignment may still be on its way to an agent that does not know of it yet. */
const underwayMs = 10_000;
const maxAgentsOfKey = 1_000;
/** How stale the time may be at which an agent was seen last; far below what counts as gone. */
const seenAgainMs = 5_000;

export interface ClaimOfAgent {
  /** Of the key. */
  readonly registry: Registry;
  readonly facts: AgentFacts;
  readonly request: ClaimRequest;
  readonly signal: AbortSignal;
}

/** The oldest run that the agent can execute; waits for one. Undefined: there is none. */
export async function claim(context: RunsContext, claimed: ClaimOfAgent): Promise<Assignment | undefined> {
  const { facts, request, signal } = claimed;
  const { agent, holds, waitSeconds } = request;
  const abandoned = { keyId: facts.keyId, agent: agent.name, holds: new Set(holds) };
  await Promise.all([endAbandoned(context, abandoned), remember(context, claimed)]);
  const wants = wantsOf(claimed);
  const until = performance.now() + waitSeconds * 1000;
  for (;;) {
    const held = await takeNext(context, wants, agent.name);
    if (held !== undefined) return assign(context, held, signal);
    const leftMs = until - performance.now();
    if (leftMs <= 0) return undefined;
    await context.events.queueMove(Math.min(leftMs, lookMs), [signal, context.signal]);
    if (signal.aborted || context.signal.aborted) return undefined;
  }
}

function wantsOf({ registry, facts, request }: ClaimOfAgent): AgentWants {
  return {
    keyId: facts.keyId,
    registryId: facts.isShared ? undefined : registry.id,
    agentPool: facts.agentPool,
    os: request.agent.os.toLowerCase(),
    architectures: [...new Set(request.agent.architectures.slice(0, 20))],
  };
}

const knownAgent = prepareRead<
  { readonly keyId: string; readonly name: string },
  { readonly description: string; readonly seen_at: number }
>((db, { keyId, name }) =>
  db.selectFrom('agents').select(['description', 'seen_at']).where('key_id', '=', keyId).where('name', '=', name),
);

async function remember({ database, clock }: RunsContext, { facts, request }: ClaimOfAgent): Promise<void> {
  const { name, ...described } = request.agent;
  const [{ keyId }, description, now] = [facts, JSON.stringify(described), clock.now()];
  const known = await knownAgent.first(database.read, { keyId, name });
  // A busy agent claims many times a second: a commit for each would be a third of what a claim takes.
  if (known?.description === description && now - known.seen_at < seenAgainMs) return;
  await database.write(rememberAgent, { keyId, name, description, maxAgents: maxAgentsOfKey, now });
}

interface Held {
  readonly row: PlainRunRow;
  readonly lease: string;
  readonly leaseHash: string;
  /** Undefined: another run than this was first in line, or it cannot be prepared. */
  readonly prepared: PreparedRun | undefined;
}

async function takeNext(context: RunsContext, wants: AgentWants, agent: string): Promise<Held | undefined> {
  const { database, clock, limits } = context;
  if (wants.architectures.length === 0) return undefined;
  // Whoever waits looks with a read: writers are few on SQLite.
  const first = await seeWaiting(database.read, wants);
  if (first === undefined) return undefined;
  // What is wrong with it is told to its log, once it is certain that it is this agent's.
  const prepared = await prepareRun(context, first.id).catch(() => undefined);
  const lease = randomBytes(32).toString('base64url');
  const leaseHash = hashOfLease(lease);
  const now = clock.now();
  const claimed = await database.write(claimRun, {
    ...wants,
    agent,
    lease: leaseHash,
    leasedUntil: now + leaseMs,
    runsAtOnce: limits.runsAtOnce,
    now,
    expected: prepared && { rowId: prepared.rowId, key: prepared.key },
  });
  return claimed && { row: claimed.run, lease, leaseHash, prepared: claimed.hasKey ? prepared : undefined };
}

async function assign(
  context: RunsContext,
  { row, lease, leaseHash, prepared }: Held,
  signal: AbortSignal,
): Promise<Assignment | undefined> {
  try {
    const ready = prepared ?? (await prepareHeld(context, row.id, leaseHash));
    // It was ended meanwhile.
    if (ready === undefined) return undefined;
    const assignment = buildAssignment(row, lease, ready);
    context.events.runChanged(row.id);
    if (!signal.aborted) return assignment;
  } catch (error) {
    const why = error instanceof RegistryError ? error.message : 'an internal error';
    context.log.error({ err: error, run: row.run_id }, 'a run could not be given to an agent');
    await endByServer(context, {
      rowId: row.id,
      reason: { kind: 'not-assigned', lease: leaseHash },
      status: 'Error',
      error: `the run could not be given to an agent: ${why}`,
    });
    return undefined;
  }
  // Nobody is there to take it: another agent shall.
  if (await context.database.write(giveBack, { rowId: row.id, lease: leaseHash, now: context.clock.now() })) {
    context.events.queueMoved();
    context.events.runChanged(row.id);
  }
  return undefined;
}

/** Another agent took the run that was first in line: this one's own needs a second transaction. */
async function prepareHeld(context: RunsContext, rowId: number, leaseHash: string): Promise<PreparedRun | undefined> {
  const prepared = await prepareRun(context, rowId);
  const isHeld = await context.database.write(giveKey, { rowId, lease: leaseHash, key: prepared.key });
  return isHeld ? prepared : undefined;
}

/** What the database keeps of a lease: random bits need no slow hash. */
export function hashOfLease(lease: string): string {
  return createHash('sha256').update(lease).digest('base64url');
}

const heldByAgent = prepareRead<
  { readonly keyId: string; readonly agent: string },
  Pick<PlainRunRow, 'id' | 'run_id' | 'status' | 'started_at'>
>((db, { keyId, agent }) =>
  db
    .selectFrom('runs')
    .select(['id', 'run_id', 'status', 'started_at'])
    .where('leased_until', 'is not', null)
    .where('agent_key_id', '=', keyId)
    .where('agent', '=', agent),
);

/** Runs of an agent that it does not know of: it was restarted. */
async function endAbandoned(
  context: RunsContext,
  { keyId, agent, holds }: { readonly keyId: string; readonly agent: string; readonly holds: ReadonlySet<string> },
): Promise<void> {
  const { database, clock } = context;
  const held = await heldByAgent.all(database.read, { keyId, agent });
  for (const { id, run_id: runId, status, started_at: startedAt } of held) {
    if (holds.has(runId)) continue;
    if (status === 'Started' && (startedAt ?? 0) > clock.now() - underwayMs) continue;
    await endByServer(context, {
      rowId: id,
      reason: { kind: 'abandoned', keyId, agent },
      status: 'Error',
      error: `the agent ${agent} was restarted while it executed the run: queue it again`,
    });
  }
}
