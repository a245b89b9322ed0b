import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { chooseGroups } from './command-groups.ts';
import { type ConnectionOptions, findConnection } from './connection.ts';

/** The package's own. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

interface Globals extends ConnectionOptions {
  readonly json?: boolean;
}

export interface Surroundings {
  /** Takes each line of output. */
  readonly write: (line: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** As a shell gives them; only what they ask for is loaded. */
  readonly args: readonly string[];
}

/** The command line. The result of `parseAsync` is the program, exit codes go to `process.exitCode`. */
export async function createProgram({ write, environment, args }: Surroundings): Promise<Command> {
  const program = new Command('berth')
    .description('A private container registry to own and run anywhere.')
    .version(version())
    .option(
      '--data <folder>',
      'data folder of a server on this machine; otherwise BERTH_SERVER, BERTH_USERNAME, BERTH_PASSWORD or berth login say whom to ask',
    )
    .option('--registry <name>', 'one of several registries of a deployment, or a login server that you are signed in to')
    .option('--ca <file>', 'PEM file of an authority to trust')
    .option('--json', 'print results as JSON')
    .showHelpAfterError('Next: berth --help lists the commands.')
    .configureOutput({ outputError: (text, writeError) => writeError(text.replace(/^error: (.*?)\.?$/m, 'berth: $1.')) });
  const asked = () => {
    const globals = program.opts<Globals>();
    return { connection: findConnection(globals, environment), output: { isJson: globals.json === true, write }, environment };
  };
  for (const group of chooseGroups(args)) await group.add(program, { asked, write, environment });
  return program;
}
