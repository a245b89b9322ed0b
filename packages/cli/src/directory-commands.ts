import type { Command } from 'commander';
import {
  type TrustOptions,
  addSecret,
  assignRole,
  createIdentity,
  deleteIdentity,
  deleteSecret,
  distrustTokens,
  enableIdentity,
  listIdentities,
  listSecrets,
  showIdentity,
  trustTokens,
  unassignRole,
} from './commands/identities.ts';
import { addIssuer, listIssuers, removeIssuer } from './commands/issuers.ts';
import type { Connection } from './connection.ts';
import type { Output } from './output.ts';

/** What a command is asked with: the options that all of them have. */
export type Asked = () => { readonly connection: Connection; readonly output: Output };

type Action = (connection: Connection, output: Output) => Promise<void>;

/** `berth identity` and `berth issuer`. */
export function addDirectoryCommands(program: Command, asked: Asked): void {
  const run = (action: Action): Promise<void> => {
    const { connection, output } = asked();
    return action(connection, output);
  };
  const identity = program.command('identity').description('whoever signs in besides the admin user: people, jobs, clusters');
  addIdentities(identity, run);
  addSecrets(identity, run);
  addTrust(identity, run);
  addRoles(identity, run);
  const issuer = program.command('issuer').description('whose tokens are read: CI systems, clusters, Entra');
  issuer
    .command('add <issuer>')
    .description('trust an issuer, spelt as in its tokens (iss)')
    .option('--keys <file>', 'its JSON Web Key Set, where this server cannot ask for it')
    .action((name: string, { keys }: { keys?: string }) => run((...to) => addIssuer(...to, { issuer: name, keys })));
  issuer
    .command('list')
    .description('the trusted issuers')
    .action(() => run(listIssuers));
  issuer
    .command('remove <issuer>')
    .description('trust an issuer no more')
    .action((name: string) => run((...to) => removeIssuer(...to, name)));
}

type Run = (action: Action) => Promise<void>;

function addIdentities(identity: Command, run: Run): void {
  identity
    .command('create <name>')
    .description('make an identity, which can do nothing yet')
    .action((name: string) => run((...to) => createIdentity(...to, name)));
  identity
    .command('list')
    .description('all identities')
    .action(() => run(listIdentities));
  identity
    .command('show <name>')
    .description('what it signs in with and what it may')
    .action((name: string) => run((...to) => showIdentity(...to, name)));
  identity
    .command('delete <name>')
    .description('delete it with its secrets, rules and roles')
    .action((name: string) => run((...to) => deleteIdentity(...to, name)));
  identity
    .command('disable <name>')
    .description('let nobody sign in as it, and end what is signed in')
    .action((name: string) => run((...to) => enableIdentity(...to, { identity: name, isEnabled: false })));
  identity
    .command('enable <name>')
    .description('let it sign in again')
    .action((name: string) => run((...to) => enableIdentity(...to, { identity: name, isEnabled: true })));
}

function addSecrets(identity: Command, run: Run): void {
  const secret = identity.command('secret').description('client secrets, for what has no token of an issuer');
  secret
    .command('add <name>')
    .description('make a secret; it is shown once')
    .option('--expires <time>', 'such as 2027-01-31T12:00:00Z')
    .action((name: string, { expires }: { expires?: string }) => run((...to) => addSecret(...to, { identity: name, expires })));
  secret
    .command('list <name>')
    .description('its secrets, without their values')
    .action((name: string) => run((...to) => listSecrets(...to, name)));
  secret
    .command('delete <name> <id>')
    .description('delete a secret')
    .action((name: string, id: string) => run((...to) => deleteSecret(...to, { identity: name, secret: id })));
}

function addTrust(identity: Command, run: Run): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  identity
    .command('trust <name>')
    .description('let tokens of a trusted issuer that match all claims sign in as it')
    .requiredOption('--issuer <issuer>', 'spelt as in its tokens (iss)')
    .requiredOption('--audience <audience>', 'for whom tokens are made (aud); may be repeated', collect)
    .requiredOption('--claim <name=pattern>', 'what a token must say; * stands for any text; may be repeated', collect)
    .option('--name <rule>', 'several rules of one identity have names', 'default')
    .action((name: string, options: TrustOptions) => run((...to) => trustTokens(...to, { identity: name, options })));
  identity
    .command('distrust <name> <rule>')
    .description('delete such a rule')
    .action((name: string, rule: string) => run((...to) => distrustTokens(...to, { identity: name, credential: rule })));
}

function addRoles(identity: Command, run: Run): void {
  identity
    .command('assign <name>')
    .description('give it a role')
    .requiredOption('--role <role>', 'such as AcrPull or AcrPush')
    .requiredOption('--scope <scope>', 'deployment, registry:NAME, registry:NAME/repository, or a resource id')
    .option('--condition <condition>', "Azure's language, for roles on parts of a registry")
    .action((name: string, wanted: { role: string; scope: string; condition?: string }) =>
      run((...to) => assignRole(...to, { identity: name, wanted })),
    );
  identity
    .command('unassign <name> <id>')
    .description('take a role away; show tells its id')
    .action((name: string, id: string) => run((...to) => unassignRole(...to, { identity: name, assignment: id })));
}
