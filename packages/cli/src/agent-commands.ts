import type { Command } from 'commander';
import { createAgentKey, deleteAgentKey, listAgentKeys } from './commands/agent-keys.ts';
import { becomeAgent } from './commands/agent.ts';
import { listAgents } from './commands/agents.ts';
import type { Asked } from './directory-commands.ts';

/** `berth agent`, `berth agents` and `berth agent-keys …`. */
export function addAgentCommands(program: Command, asked: Asked): void {
  program
    .command('agent')
    .description('execute runs on this machine, with BERTH_SERVER and BERTH_AGENT_KEY; berth agent --help lists its options')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action((_options: unknown, command: Command) => {
      // It has this option, too, and it was taken for the command line's own.
      const { ca } = program.opts<{ ca?: string }>();
      becomeAgent([...(ca === undefined ? [] : ['--ca', ca]), ...command.args]);
    });
  program
    .command('agents')
    .description('the agents that execute runs, and how many runs wait for one')
    .action(async () => {
      const { connection, output } = asked();
      await listAgents(connection, output);
    });
  const keys = program.command('agent-keys').description('what agents sign in with');
  keys
    .command('list')
    .description('the keys, without their values')
    .action(async () => {
      const { connection, output } = asked();
      await listAgentKeys(connection, output);
    });
  keys
    .command('create <name>')
    .description('make a key; it is shown once')
    .option('--agent-pool <name>', 'its agents take the runs of this pool')
    .action(async (name: string, { agentPool }: { readonly agentPool?: string }) => {
      const { connection, output } = asked();
      await createAgentKey(connection, output, { name, agentPool });
    });
  keys
    .command('delete <id>')
    .description('delete a key: agents that use it can do nothing more')
    .action(async (id: string) => {
      const { connection, output } = asked();
      await deleteAgentKey(connection, output, id);
    });
}
