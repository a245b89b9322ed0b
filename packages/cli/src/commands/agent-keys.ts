import { agents } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { plainLine } from '../log-view/plain-line.ts';
import { tableLines } from '../log-view/table.ts';
import { type Output, show } from '../output.ts';

interface AgentKey {
  readonly id: string;
  readonly name: string;
  readonly agentPool: string | null;
  readonly isShared: boolean;
  readonly createdAt: string;
}

/** `berth agent-keys list`. */
export async function listAgentKeys(connection: Connection, output: Output): Promise<void> {
  const { keys } = (await callOperation(connection, agents.listAgentKeys)) as { readonly keys: readonly AgentKey[] };
  const rows = keys.map(({ id, name, agentPool, isShared, createdAt }) => [
    id,
    name,
    agentPool ?? '',
    isShared ? 'all' : 'this one',
    createdAt.replace(/\.\d+Z$/, 'Z'),
  ]);
  const lines = tableLines(['id', 'name', 'pool', 'registries', 'created'], rows);
  show(
    output,
    keys,
    keys.length === 0 ? 'There are no keys. Make one: berth agent-keys create NAME' : lines.map(plainLine).join('\n'),
  );
}

/** `berth agent-keys create`: the key is shown this once, with how to start an agent with it. */
export async function createAgentKey(
  connection: Connection,
  output: Output,
  { name, agentPool }: { readonly name: string; readonly agentPool: string | undefined },
): Promise<void> {
  const body = { name, ...(agentPool !== undefined && { agentPool }) };
  const result = (await callOperation(connection, agents.createAgentKey, { body })) as AgentKey & { readonly key: string };
  show(
    output,
    result,
    [
      `The key ${result.name} (${result.id}) is ${result.key}`,
      'It is shown only this once. Start an agent on a machine with a container engine:',
      `  BERTH_SERVER=${connection.origin} BERTH_AGENT_KEY=${result.key} berth agent`,
    ].join('\n'),
  );
}

/** `berth agent-keys delete`. */
export async function deleteAgentKey(connection: Connection, output: Output, id: string): Promise<void> {
  await callOperation(connection, agents.deleteAgentKey, { params: { key: id } });
  show(output, { id }, `The key ${id} is deleted: agents that used it can do nothing more, and their runs end with an error.`);
}
