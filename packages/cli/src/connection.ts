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

/**
 * From `BERTH_SERVER`, `BERTH_USERNAME` and `BERTH_PASSWORD`, or from the data folder of a server on this machine. A
 * password is never an argument: every user of a machine can read those. @throws CommandError
 */
export function findConnection(
  options: ConnectionOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Connection {
  const { BERTH_SERVER: server, BERTH_USERNAME: username, BERTH_PASSWORD: password } = environment;
  const folder = options.data ?? environment['BERTH_DATA'];
  if (options.data === undefined && server !== undefined && password !== undefined) {
    return {
      origin: originOf(server, options.ca !== undefined),
      username: username ?? 'local',
      password,
      passwordFrom: 'BERTH_PASSWORD',
      authority: readAuthority(options.ca),
    };
  }
  if (folder === undefined && !existsSync(join('data', firstRunFile))) {
    throw new CommandError(
      'it is not known which server to ask',
      'set BERTH_SERVER, BERTH_USERNAME and BERTH_PASSWORD, or name the data folder of a server on this machine with --data',
    );
  }
  return connectionOfFolder(folder ?? 'data', {
    ...options,
    ...(server !== undefined && { server }),
    ...(password !== undefined && { password }),
  });
}

const firstRunFile = 'first-run.json';

function connectionOfFolder(
  folder: string,
  options: ConnectionOptions & { readonly server?: string; readonly password?: string },
): Connection {
  const localAuthority = join(folder, 'tls', 'authority.pem');
  const ca = options.ca ?? (existsSync(localAuthority) ? localAuthority : undefined);
  const firstRun = join(folder, firstRunFile);
  const first = readFirstRun(firstRun);
  return {
    origin: originOf(options.server ?? first.loginServer, ca !== undefined),
    username: first.username,
    password: options.password ?? first.password,
    passwordFrom: options.password === undefined ? firstRun : 'BERTH_PASSWORD',
    authority: readAuthority(ca),
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
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`the authority ${path} cannot be read`, 'give a PEM file with --ca', { cause: error });
  }
}

function originOf(server: string, isTls: boolean): string {
  const text = /^https?:\/\//.test(server) ? server : `${isTls ? 'https' : 'http'}://${server}`;
  if (!URL.canParse(text)) throw new CommandError(`"${server}" is no address of a server`, 'write it as https://host:port');
  return new URL(text).origin;
}
