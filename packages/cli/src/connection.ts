import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

/** Where a server is and who signs in to it. */
export interface Connection {
  readonly origin: string;
  readonly username: string;
  readonly password: string;
  /** The variable or the file that the password was found in. */
  readonly passwordFrom: string;
  /** PEM text of an authority to trust beside the system's. */
  readonly authority: string | undefined;
}

export interface ConnectionOptions {
  /** Data folder of a server on this machine, instead of the environment. */
  readonly data?: string;
  /** PEM file of an authority to trust. */
  readonly ca?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * From `BERTH_SERVER`, `BERTH_USERNAME` and `BERTH_PASSWORD`, or from the data folder of a server on this machine. A
 * password is never an argument: every user of a machine can read those. @throws CommandError
 */
export function findConnection(options: ConnectionOptions, environment: Environment): Connection {
  const variables = readVariables(environment);
  const { server, username = 'local', password } = variables;
  if (options.data === undefined && server !== undefined && password !== undefined) {
    return {
      origin: originOf(server, { from: 'BERTH_SERVER', isTls: options.ca !== undefined }),
      username,
      password,
      passwordFrom: 'BERTH_PASSWORD',
      authority: readAuthority(options.ca),
    };
  }
  const folder = options.data ?? variables.folder;
  if (folder !== undefined) return connectionOfFolder(folder, options.ca, variables);
  // A folder that merely lies here must not give its password to a server elsewhere.
  if (server !== undefined) {
    throw new CommandError(
      'BERTH_SERVER is set, but BERTH_PASSWORD is not',
      'set BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of that server with --data',
    );
  }
  if (existsSync(join('data', firstRunFile))) return connectionOfFolder('data', options.ca, variables);
  throw new CommandError(
    'it is not known which server to ask',
    'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of a server on this machine with --data',
  );
}

interface Variables {
  readonly server: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly folder: string | undefined;
}

/** An empty variable is one that is not set, as for the server. */
function readVariables(environment: Environment): Variables {
  const read = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  return {
    server: read('BERTH_SERVER'),
    username: read('BERTH_USERNAME'),
    password: read('BERTH_PASSWORD'),
    folder: read('BERTH_DATA'),
  };
}

const firstRunFile = 'first-run.json';

/** What the variables say goes before what the folder says. */
function connectionOfFolder(folder: string, ca: string | undefined, { server, username, password }: Variables): Connection {
  const localAuthority = join(folder, 'tls', 'authority.pem');
  const authority = ca ?? (existsSync(localAuthority) ? localAuthority : undefined);
  const firstRun = join(folder, firstRunFile);
  const first = readFirstRun(firstRun);
  return {
    origin: originOf(server ?? first.loginServer, {
      from: server === undefined ? firstRun : 'BERTH_SERVER',
      isTls: authority !== undefined,
    }),
    username: username ?? first.username,
    password: password ?? first.password,
    passwordFrom: password === undefined ? firstRun : 'BERTH_PASSWORD',
    authority: readAuthority(authority),
  };
}

interface FirstRun {
  readonly loginServer: string;
  readonly username: string;
  readonly password: string;
}

function readFirstRun(path: string): FirstRun {
  try {
    const { loginServer, username, password } = JSON.parse(readFileSync(path, 'utf8')) as Partial<FirstRun>;
    if (loginServer !== undefined && username !== undefined && password !== undefined) return { loginServer, username, password };
  } catch (error) {
    throw new CommandError(
      `${path} cannot be read`,
      'name the data folder of a server that has been started once, as the user who owns it',
      { cause: error },
    );
  }
  throw new CommandError(`${path} is not complete`, 'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD instead');
}

function readAuthority(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const nextStep = 'give a PEM file with --ca';
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`the authority ${path} cannot be read`, nextStep, { cause: error });
  }
  // Node.js passes over a text that holds none, and the server's certificate would seem to be at fault.
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new CommandError(`${path} holds no certificate`, nextStep);
  return text;
}

/** Names `from` rather than what stands there, which may hold a password. */
function originOf(server: string, { from, isTls }: { readonly from: string; readonly isTls: boolean }): string {
  const text = server.includes('://') ? server : `${isTls ? 'https' : 'http'}://${server}`;
  if (!/^https?:/i.test(text) || !URL.canParse(text))
    throw new CommandError(`${from} names no address of a server`, 'write it as https://host:port');
  return new URL(text).origin;
}
