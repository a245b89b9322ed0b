import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostOf, isServerName, placeOfRegistry } from './choose-registry.ts';
import { CommandError } from './command-error.ts';
import { type StoredLogin, loginsFile, readLogins } from './stored-logins.ts';

/** Where a server is and who signs in to it. */
export interface Connection {
  readonly origin: string;
  readonly username: string;
  readonly password: string;
  /** The variable or the file that the password was found in. */
  readonly passwordFrom: string;
  /** What to do when it was replaced, where that is not plain. */
  readonly remedy?: string;
  /** PEM text of an authority to trust beside the system's. */
  readonly authority: string | undefined;
  /** Where to connect to, when the name in the origin is only for the server to read. */
  readonly address?: string;
}

export interface ConnectionOptions {
  /** Data folder of a server on this machine, instead of the environment. */
  readonly data?: string;
  /** PEM file of an authority to trust. */
  readonly ca?: string;
  /** Name or login server of a registry; otherwise the one that the server's own name means. */
  readonly registry?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * From `--data`, from `BERTH_SERVER`, `BERTH_USERNAME` and `BERTH_PASSWORD`, from what `berth login` keeps, or from the folder of
 * a server that lies here. A password is never an argument: every user of a machine can read those. @throws CommandError
 */
export function findConnection(options: ConnectionOptions, environment: Environment): Connection {
  const { registry } = options;
  const variables = readVariables(environment);
  const given = givenConnection(options, variables);
  if (given === undefined) return storedConnection(options, environment, variables);
  if (registry === undefined) return given;
  const place = placeOfRegistry(given.origin, registry);
  if (place !== undefined) return { ...given, ...place };
  const login = readLogins(environment).find(({ origin }) => hostOf(registry, new URL(origin).protocol) === new URL(origin).host);
  if (login !== undefined) return connectionOfLogin(login, options, environment);
  // A password is for the deployment that it was given for.
  throw new CommandError(
    `the registry ${registry} is none of ${given.origin}, which ${given.passwordFrom} is for`,
    `berth login ${registry} --username NAME keeps a login for it`,
  );
}

/** What arguments and variables say. Undefined: they name no server, or no password for it. */
function givenConnection(options: ConnectionOptions, variables: Variables): Connection | undefined {
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
  return folder === undefined ? undefined : connectionOfFolder(folder, options.ca, variables);
}

function storedConnection(options: ConnectionOptions, environment: Environment, variables: Variables): Connection {
  const { registry } = options;
  const logins = readLogins(environment);
  const { server } = variables;
  const wanted = server ?? (registry !== undefined && isServerName(registry) ? registry : undefined);
  const fitting =
    wanted === undefined
      ? logins
      : logins.filter(({ origin }) => hostOf(wanted, new URL(origin).protocol) === new URL(origin).host);
  const named = registry === undefined ? [] : fitting.filter(({ origin }) => firstLabel(origin) === registry.toLowerCase());
  const [login, another] = named.length > 0 ? named : fitting;
  if (login !== undefined && another === undefined) {
    const found = connectionOfLogin(login, options, environment);
    const place = registry === undefined || wanted === registry ? undefined : placeOfRegistry(found.origin, registry);
    return { ...found, ...place };
  }
  // A folder that merely lies here must not give its password to a server elsewhere.
  if (server !== undefined) {
    throw new CommandError(
      'BERTH_SERVER is set, but BERTH_PASSWORD is not',
      'set BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of that server with --data',
    );
  }
  if (login !== undefined) {
    throw new CommandError(
      `you are signed in to several servers: ${(named.length > 0 ? named : fitting).map(({ origin }) => new URL(origin).host).join(', ')}`,
      'name one of them with --registry, or with BERTH_SERVER',
    );
  }
  if (existsSync(join('data', firstRunFile))) {
    const found = connectionOfFolder('data', options.ca, variables);
    const place = registry === undefined ? { origin: found.origin } : placeOfRegistry(found.origin, registry);
    if (place !== undefined) return { ...found, ...place };
  }
  if (wanted !== undefined)
    throw new CommandError(`you are not signed in to ${wanted}`, `berth login ${wanted} --username NAME keeps a login for it`);
  throw new CommandError(
    'it is not known which server to ask',
    'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of a server on this machine with --data',
  );
}

function firstLabel(origin: string): string | undefined {
  return new URL(origin).hostname.split('.')[0];
}

function connectionOfLogin(
  { origin, username, password, ca }: StoredLogin,
  options: ConnectionOptions,
  environment: Environment,
): Connection {
  return {
    origin,
    username,
    password,
    passwordFrom: loginsFile(environment),
    remedy: 'sign in again with berth login',
    authority: readAuthority(options.ca ?? ca),
  };
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
    ...(password === undefined ? { passwordFrom: firstRun, remedy: 'set BERTH_PASSWORD' } : { passwordFrom: 'BERTH_PASSWORD' }),
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

/** PEM text of a file. @throws CommandError */
export function readAuthority(path: string | undefined): string | undefined {
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
