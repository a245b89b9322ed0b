import { agents } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { durationText } from '../log-view/durations.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, show } from '../output.ts';

interface Agent {
  readonly name: string;
  readonly agentPool: string | null;
  readonly engine: string;
  readonly engineVersion: string;
  readonly os: string;
  readonly architectures: readonly string[];
  readonly capacity: number;
  readonly runs: readonly string[];
  readonly seenAt: string;
  readonly isOnline: boolean;
}

interface AgentsDocument {
  readonly agents: readonly Agent[];
  readonly queue: readonly { readonly agentPool: string | null; readonly queued: number; readonly running: number }[];
  readonly oldestQueuedSeconds: number | null;
}

/** `berth agents`: who executes runs, and how many wait. */
export async function listAgents(connection: Connection, output: Output): Promise<void> {
  const result = (await callOperation(connection, agents.listAgents)) as AgentsDocument;
  const rows = result.agents.map(
    ({ name, agentPool, engine, engineVersion, os, architectures, capacity, runs, seenAt, isOnline }) => [
      name,
      agentPool ?? '',
      isOnline ? 'online' : `away since ${seenAt.replace(/\.\d+Z$/, 'Z')}`,
      `${engine} ${engineVersion}`,
      `${os} ${architectures.join(',')}`,
      `${runs.length}/${capacity}`,
      runs.join(' '),
    ],
  );
  const table =
    rows.length === 0
      ? ['No agent has asked for work within the last day. Make a key for one: berth agent-keys create NAME']
      : tableLines(['agent', 'pool', 'state', 'engine', 'platforms', 'busy', 'runs'], rows);
  const queues = result.queue.map(
    ({ agentPool, queued, running }) => `${agentPool ?? 'Without a pool'}: ${queued} queued, ${running} running.`,
  );
  const oldest = result.oldestQueuedSeconds;
  const waits = oldest === null ? [] : [`The oldest has waited for ${durationText(oldest * 1000)}.`];
  show(output, result, [...table, ...queues, ...waits].map(plainLine).join('\n'));
}
