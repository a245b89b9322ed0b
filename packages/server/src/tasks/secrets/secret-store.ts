import { RegistryError } from '../../errors/index.ts';
import { openBytes, sealBytes } from '../../platform/sealing/index.ts';
import type { TasksContext } from '../tasks-context.ts';
import { findSecret, secretNames } from './queries.ts';
import { secretNamePattern } from './secret-addresses.ts';
import { deleteSecret, putSecret } from './transactions.ts';

type Context = Pick<TasksContext, 'database' | 'keys' | 'clock'>;

/** What is known of a secret. Its value is for runs alone. */
export interface StoredSecret {
  readonly name: string;
  readonly updatedAt: string;
}

const maxSecrets = 1000;

export async function listSecrets({ database }: Context, registryId: number): Promise<readonly StoredSecret[]> {
  return (await secretNames(database.read, registryId)).map(({ name, updated_at }) => storedSecret(name, updated_at));
}

/** Keeps or replaces a secret. @throws INVALID_PARAMETER, QUOTA_EXCEEDED, KEY_UNAVAILABLE */
export async function keepSecret(
  { database, keys, clock }: Context,
  registryId: number,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<StoredSecret> {
  if (!secretNamePattern.test(name))
    throw new RegistryError('INVALID_PARAMETER', {
      message: `${JSON.stringify(name.slice(0, 64))} is no name of a secret: write 1 to 127 letters, digits and hyphens`,
      target: 'name',
    });
  const key = keys.current(registryId);
  const sealed = sealBytes(key, purposeOf(registryId, name), Buffer.from(value));
  const now = clock.now();
  const row = { registry_id: registryId, name, data_key_id: key.id, sealed, updated_at: now };
  if ((await database.write(putSecret, { row, atMost: maxSecrets })) === 'full')
    throw new RegistryError('QUOTA_EXCEEDED', { message: `a registry keeps at most ${maxSecrets} secrets; delete some first` });
  return storedSecret(name, now);
}

/** @throws NOT_FOUND */
export async function removeSecret({ database }: Context, registryId: number, name: string): Promise<void> {
  const wasThere = secretNamePattern.test(name) && (await database.write(deleteSecret, { registryId, name }));
  if (!wasThere) throw new RegistryError('NOT_FOUND', { message: `there is no secret ${JSON.stringify(name.slice(0, 64))}` });
}

/** Its value; undefined: there is none of that name. @throws KEY_UNAVAILABLE, SealBrokenError */
export async function openSecret({ database, keys }: Context, registryId: number, name: string): Promise<string | undefined> {
  const row = await findSecret(database.read, registryId, name);
  if (row === undefined) return undefined;
  return openBytes(keys.get(registryId, row.data_key_id), purposeOf(registryId, name), row.sealed).toString('utf8');
}

function purposeOf(registryId: number, name: string): string {
  return `secret:${registryId}:${name}`;
}

function storedSecret(name: string, updatedAt: number): StoredSecret {
  return { name, updatedAt: new Date(updatedAt).toISOString() };
}
