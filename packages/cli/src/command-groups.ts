import type { Command } from 'commander';
import type { Scene } from './commands/build.ts';
import type { Output } from './output.ts';

/** What commands are made with. */
export interface CommandSurroundings {
  /** Whom to ask, once the options are known. */
  readonly asked: () => Scene;
  readonly write: Output['write'];
  readonly environment: Scene['environment'];
}

/** Commands whose code is loaded together. */
export interface CommandGroup {
  readonly names: readonly string[];
  add(program: Command, surroundings: CommandSurroundings): Promise<void>;
}

/** In the order of the help. */
const groups: readonly CommandGroup[] = [
  {
    names: ['serve', 'status', 'keys', 'scrub'],
    add: async (program, { asked }) => (await import('./server-commands.ts')).addServerCommands(program, asked),
  },
  {
    names: ['purge', 'cleanup', 'purge-schedule'],
    add: async (program, { asked }) => (await import('./cleanup-commands.ts')).addCleanupCommands(program, asked),
  },
  {
    names: ['usage', 'audit', 'gc'],
    add: async (program, { asked }) => (await import('./storage-commands.ts')).addStorageCommands(program, asked),
  },
  {
    names: ['passwords'],
    add: async (program, { asked }) => (await import('./server-commands.ts')).addPasswordCommands(program, asked),
  },
  {
    names: ['identity', 'issuer'],
    add: async (program, { asked }) => (await import('./directory-commands.ts')).addDirectoryCommands(program, asked),
  },
  {
    names: ['build', 'run', 'logs', 'runs'],
    add: async (program, { asked }) => (await import('./run-commands.ts')).addRunCommands(program, asked),
  },
  {
    names: ['task', 'secrets'],
    add: async (program, { asked }) => (await import('./task-commands.ts')).addTaskCommands(program, asked),
  },
  {
    names: ['agent', 'agents', 'agent-keys'],
    add: async (program, { asked }) => (await import('./agent-commands.ts')).addAgentCommands(program, asked),
  },
  {
    names: ['replication'],
    add: async (program, { asked }) => (await import('./replication-commands.ts')).addReplicationCommands(program, asked),
  },
  {
    names: ['webhook'],
    add: async (program, { asked }) => (await import('./webhook-commands.ts')).addWebhookCommands(program, asked),
  },
  {
    names: ['login', 'logout'],
    add: async (program, { write, environment }) =>
      (await import('./login-commands.ts')).addLoginCommands(program, { write, environment }),
  },
];

/** Options before the command whose value is the next argument. */
const valued = ['--data', '--registry', '--ca'];

/**
 * The group of the command that arguments name: loading is most of what a short command waits for. All of them when they name
 * none, so that help lists everything, and what was mistyped is compared with everything.
 */
export function chooseGroups(args: readonly string[]): readonly CommandGroup[] {
  let at = 0;
  while (args[at]?.startsWith('-') === true) at += valued.includes(args[at] ?? '') ? 2 : 1;
  const name = args[at];
  const group = groups.find(({ names }) => name !== undefined && names.includes(name));
  return group === undefined ? groups : [group];
}
