import type { RegistryLogin } from '@berth/api';
import type { Registry } from '../tenancy/index.ts';
import type { SealedText, SecretAddress } from './model.ts';
import { openText } from './seal-secrets.ts';
import { resolveSecrets } from './secrets/resolve-secrets.ts';
import type { TasksContext } from './tasks-context.ts';

interface LoginSecret {
  readonly value: string | SealedText;
  readonly type: 'Opaque' | 'Vaultsecret';
}

/** How a run signs in to another registry; a login that has an identity only cannot be used here, and is left out. */
export interface CustomLogin {
  readonly server: string;
  readonly userName?: LoginSecret | undefined;
  readonly password?: LoginSecret | undefined;
}

/** Logins with their secrets. @throws KEY_UNAVAILABLE, INVALID_PARAMETER, UPSTREAM_FAILED */
export async function resolveLogins(
  context: TasksContext,
  registry: Registry,
  logins: readonly CustomLogin[],
): Promise<readonly RegistryLogin[]> {
  const usable = logins.flatMap(({ server, userName, password }) =>
    userName === undefined || password === undefined ? [] : [{ server, userName, password }],
  );
  const addressOf = (id: string, { type, value }: LoginSecret): readonly SecretAddress[] =>
    type === 'Vaultsecret' && typeof value === 'string' ? [{ id, keyvault: value }] : [];
  const sources = usable.flatMap(({ server, userName, password }) => [
    ...addressOf(`${server} user`, userName),
    ...addressOf(`${server} password`, password),
  ]);
  const resolved = await resolveSecrets(context, registry, { sources, signal: context.signal });
  const values = new Map(resolved.map(({ id, value }) => [id, value]));
  const textOf = (id: string, { value }: LoginSecret): string =>
    typeof value === 'string' ? (values.get(id) ?? value) : openText(context.keys, registry.id, value);
  return usable.map(({ server, userName, password }) => ({
    server,
    username: textOf(`${server} user`, userName),
    password: textOf(`${server} password`, password),
  }));
}
