import { resolve } from 'node:path';
import { distribution } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { hostOf } from '../choose-registry.ts';
import { CommandError } from '../command-error.ts';
import { type Output, show } from '../output.ts';
import { promptSecret } from '../prompt-secret.ts';
import { readAuthority } from '../connection.ts';
import { readInput } from '../read-input.ts';
import { loginsFile, readLogins, writeLogins } from '../stored-logins.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface LoginOptions {
  readonly username: string;
  readonly passwordStdin?: boolean;
  readonly ca?: string | undefined;
}

/** `berth login`: keeps a login once the server has taken it. @throws CommandError */
export async function login(
  output: Output,
  environment: Environment,
  { server, options }: { readonly server: string; readonly options: LoginOptions },
): Promise<void> {
  const origin = originOf(server);
  const { username, passwordStdin = false, ca } = options;
  const password = passwordStdin
    ? (await readInput('the password')).toString('utf8').replace(/\r?\n$/, '')
    : await promptSecret(`Password of ${username} at ${new URL(origin).host}: `);
  if (password === '') throw new CommandError('the password is empty', 'give the password of that user');
  const connection = { origin, username, password, passwordFrom: 'what you gave', authority: readAuthority(ca) };
  await callOperation(connection, distribution.checkApi);
  const others = readLogins(environment).filter((each) => each.origin !== origin);
  writeLogins(environment, [...others, { origin, username, password, ...(ca !== undefined && { ca: resolve(ca) }) }]);
  const path = loginsFile(environment);
  show(
    output,
    { server: origin, username },
    `Signed in to ${new URL(origin).host} as ${username}; kept in ${path}, which only you may read.`,
  );
}

/** `berth logout`. */
export function logout(output: Output, environment: Environment, server: string): void {
  const logins = readLogins(environment);
  const left = logins.filter(({ origin }) => hostOf(server, new URL(origin).protocol) !== new URL(origin).host);
  if (left.length === logins.length)
    throw new CommandError(`you are not signed in to ${server}`, 'berth login keeps logins; see the file for which', {
      details: logins.map(({ origin }) => `  ${new URL(origin).host}`),
    });
  writeLogins(environment, left);
  show(output, { server }, `The login of ${server} is forgotten.`);
}

/** A password travels in the clear on this machine only, unless the address says so. */
function originOf(server: string): string {
  const host = hostOf(server, 'https:');
  if (server.includes('://')) return `${/^https:/i.test(server) ? 'https' : 'http'}://${host}`;
  const name = host.replace(/:\d+$/, '');
  const isHere = name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
  return `${isHere ? 'http' : 'https'}://${host}`;
}
