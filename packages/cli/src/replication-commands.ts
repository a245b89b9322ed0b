import type { Command } from 'commander';
import { createReplica, deleteReplica, showReplication, updateReplica } from './commands/replication.ts';
import type { Asked } from './directory-commands.ts';
import { yesOrNo } from './option-values.ts';

/** `berth replication …`. */
export function addReplicationCommands(program: Command, asked: Asked): void {
  const replication = program.command('replication').description('the regions that hold the registry, and how far each is');
  replication
    .command('status')
    .description('every region: what it lacks, how far it is behind, what went wrong and what to do')
    .option('--watch', 'show progress until every region has everything')
    .action(async ({ watch }: { readonly watch?: boolean }) => {
      const { connection, output } = asked();
      await showReplication(connection, output, { isWatching: watch === true });
    });
  replication
    .command('create')
    .description('let another region hold the registry, too (asked of its home region)')
    .requiredOption('--location <region>', 'its name, as the setting peers has it')
    .option('--region-endpoint-enabled <true|false>', 'whether clients are sent there (true)', yesOrNo)
    .option('--wait', 'show progress until it has everything')
    .action(
      async ({
        location,
        regionEndpointEnabled,
        wait,
      }: {
        location: string;
        regionEndpointEnabled?: boolean;
        wait?: boolean;
      }) => {
        const { connection, output } = asked();
        await createReplica(connection, output, { location, isEndpointEnabled: regionEndpointEnabled, isWaiting: wait === true });
      },
    );
  replication
    .command('update')
    .description('take a region out of routing, or back in; it stays in sync')
    .requiredOption('--location <region>', 'its name')
    .requiredOption('--region-endpoint-enabled <true|false>', 'whether clients are sent there', yesOrNo)
    .action(async ({ location, regionEndpointEnabled }: { location: string; regionEndpointEnabled: boolean }) => {
      const { connection, output } = asked();
      await updateReplica(connection, output, { location, isEndpointEnabled: regionEndpointEnabled });
    });
  replication
    .command('delete')
    .description('take the registry off a region: content goes there and stays elsewhere')
    .requiredOption('--location <region>', 'its name')
    .action(async ({ location }: { location: string }) => {
      const { connection, output } = asked();
      await deleteReplica(connection, output, location);
    });
}
