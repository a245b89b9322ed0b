import type { Command } from 'commander';
import { type LoginOptions, login, logout } from './commands/login.ts';
import type { Output } from './output.ts';

interface Surroundings {
  readonly write: (line: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `berth login` and `berth logout`. */
export function addLoginCommands(program: Command, { write, environment }: Surroundings): void {
  const globals = () => program.opts<{ json?: boolean; ca?: string }>();
  const output = (): Output => ({ isJson: globals().json === true, write });
  program
    .command('login <server>')
    .description('sign in to a server, and keep the login for the commands that follow')
    .requiredOption('-u, --username <name>')
    .option('--password-stdin', 'read the password from the standard input instead of asking for it')
    .action(async (server: string, options: LoginOptions) =>
      login(output(), environment, { server, options: { ...options, ca: globals().ca } }),
    );
  program
    .command('logout <server>')
    .description('forget the login of a server')
    .action((server: string) => logout(output(), environment, server));
}
