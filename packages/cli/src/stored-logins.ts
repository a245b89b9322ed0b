import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError } from './command-error.ts';

/** What `berth login` keeps. */
export interface StoredLogin {
  /** `https://registry.example`. */
  readonly origin: string;
  readonly username: string;
  readonly password: string;
  /** PEM file of an authority to trust. */
  readonly ca?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `~/.config/berth/logins.json`; its owner alone may read it. */
export function loginsFile({ XDG_CONFIG_HOME: configured = '', HOME: home = '' }: Environment): string {
  const folder = configured === '' ? join(home === '' ? homedir() : home, '.config') : configured;
  return join(folder, 'berth', 'logins.json');
}

/** None when there is no file. @throws CommandError when it is not what was written */
export function readLogins(environment: Environment): readonly StoredLogin[] {
  const path = loginsFile(environment);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // Where there cannot be a file, there is none.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw new CommandError(`${path} cannot be read`, 'make it readable for you, or delete it and sign in again', {
      cause: error,
    });
  }
  return parseLogins(text, path);
}

function parseLogins(text: string, path: string): readonly StoredLogin[] {
  try {
    const { logins } = JSON.parse(text) as { logins?: readonly StoredLogin[] };
    if (logins?.every(({ origin, username, password }) => URL.canParse(origin) && username !== '' && password !== '') === true)
      return logins;
  } catch {
    // Said below.
  }
  throw new CommandError(`${path} is not what berth login writes`, 'delete it, and sign in again with berth login');
}

/** Replaces the file as a whole, so that it is never half written, nor readable for others. */
export function writeLogins(environment: Environment, logins: readonly StoredLogin[]): void {
  const path = loginsFile(environment);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify({ logins }, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    throw new CommandError(`${path} cannot be written`, 'make its folder writable, or set XDG_CONFIG_HOME to another', {
      cause: error,
    });
  }
}
