import type { Fields } from '../../resources/index.ts';
import type { TaskCredentials } from '../model.ts';
import { type WireSecret, readCredentials } from '../wire-credentials.ts';
import type { ReadScene } from './read-scene.ts';

type Login = NonNullable<TaskCredentials['customRegistries']>[string];
type Secret = NonNullable<Login['userName']>;

/** Reads `credentials`: registries that it names are added or replaced, null takes one away. @throws INVALID_PARAMETER */
export function readTaskCredentials(
  properties: Fields,
  before: TaskCredentials | undefined,
  { seal }: ReadScene,
): TaskCredentials | undefined {
  const given = readCredentials(properties);
  if (given === undefined) return before;
  const sourceRegistry = given.sourceRegistry ?? before?.sourceRegistry;
  const registries = new Map<string, Login>(Object.entries(before?.customRegistries ?? {}));
  const sealedSecret = ({ value, type }: WireSecret): Secret => ({ type, value: type === 'Opaque' ? seal(value) : value });
  for (const [server, login] of given.customRegistries ?? [])
    if (login === null) registries.delete(server);
    else {
      const { userName, password, identity } = login;
      registries.set(server, {
        ...(userName !== undefined && { userName: sealedSecret(userName) }),
        ...(password !== undefined && { password: sealedSecret(password) }),
        ...(identity !== undefined && { identity }),
      });
    }
  return {
    ...(sourceRegistry !== undefined && { sourceRegistry }),
    ...(registries.size > 0 && { customRegistries: Object.fromEntries(registries) }),
  };
}
