import { type Fields, invalid } from '../resources/index.ts';

/** A user name or a password, as clients write it: the text itself, or the address of a secret. */
export interface WireSecret {
  readonly value: string;
  readonly type: 'Opaque' | 'Vaultsecret';
}

/** How a run signs in to another registry. */
export interface WireLogin {
  readonly server: string;
  readonly userName: WireSecret | undefined;
  readonly password: WireSecret | undefined;
  readonly identity: string | undefined;
}

export interface WireCredentials {
  readonly sourceRegistry: { readonly loginMode: 'None' | 'Default'; readonly identity?: string } | undefined;
  /** By login server; undefined: the client said nothing about them. A null takes one away. */
  readonly customRegistries: ReadonlyMap<string, WireLogin | null> | undefined;
}

const maxRegistries = 50;
const hostPattern = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/;

/** Reads `credentials` (acr-tasks 7). @throws INVALID_PARAMETER */
export function readCredentials(fields: Fields): WireCredentials | undefined {
  if (!fields.has('credentials')) return undefined;
  const credentials = fields.object('credentials');
  const source = credentials.object('sourceRegistry');
  const identity = source.text('identity');
  const loginMode = source.oneOf('loginMode', ['None', 'Default']);
  return {
    sourceRegistry:
      loginMode === undefined && identity === undefined
        ? undefined
        : { loginMode: loginMode ?? 'Default', ...(identity !== undefined && { identity }) },
    customRegistries: readLogins(credentials),
  };
}

function readLogins(credentials: Fields): ReadonlyMap<string, WireLogin | null> | undefined {
  const names = credentials.names('customRegistries', maxRegistries);
  if (names === undefined) return undefined;
  const registries = credentials.object('customRegistries');
  return new Map(
    names.map((name) => {
      const server = name.toLowerCase();
      if (!hostPattern.test(server))
        throw invalid(
          registries.path,
          `has ${JSON.stringify(name.slice(0, 64))}, which is no host name of a registry such as other.example or other.example:5000`,
        );
      if (registries.isNull(name)) return [server, null];
      const login = registries.object(name);
      const [userName, password, identity] = [
        readSecret(login, 'userName'),
        readSecret(login, 'password'),
        login.text('identity'),
      ];
      if ((userName === undefined) !== (password === undefined))
        throw invalid(login.path, 'needs a user name and a password, or neither of them');
      return [server, { server, userName, password, identity }];
    }),
  );
}

function readSecret(login: Fields, name: 'userName' | 'password'): WireSecret | undefined {
  const secret = login.object(name);
  const value = secret.text('value', 8192);
  if (value === undefined) return undefined;
  const type = secret.oneOf('type', ['Opaque', 'Vaultsecret']) ?? 'Opaque';
  if (type === 'Vaultsecret' && !/^https:\/\/[^\s]+$/.test(value))
    throw invalid(
      secret.at('value'),
      'must be the address of a secret: https://berth/secrets/NAME, or https://VAULT/secrets/NAME',
    );
  return { value, type };
}
