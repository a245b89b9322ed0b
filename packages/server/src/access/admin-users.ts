import type { Registry } from '../tenancy/index.ts';
import { RegistryError } from '../errors/index.ts';
import { SealBrokenError, openBytes } from '../platform/sealing/index.ts';
import type { AccessContext } from './access-context.ts';
import { findAdmin, sealedPasswords } from './queries.ts';
import { adminName, passwordSeal, regeneratePassword } from './regenerate-password.ts';
import { disableAdmin, enableAdmin } from './transactions.ts';

export interface AdminCredential {
  readonly name: string;
  /** Undefined when it was made before passwords could be shown. */
  readonly value: string | undefined;
}

/** Whether a registry has an admin user that may sign in. */
export async function isAdminEnabled({ accounts }: AccessContext, registryId: number): Promise<boolean> {
  return (await accounts.adminNow({ id: registryId })) !== undefined;
}

/** Lets the admin user sign in. One that is new, or was disabled, gets two new passwords. */
export async function enable(context: AccessContext, registry: Registry): Promise<void> {
  const before = await findAdmin(context.database.read, registry.id);
  if (before === undefined || before.passwords.length < 2) {
    await regeneratePassword(context, registry, 'password');
    await regeneratePassword(context, registry, 'password2');
  }
  await context.database.write(enableAdmin, registry.id);
  context.accounts.forgetAdmin(registry.id);
}

/** Nobody signs in with the admin user any more, and what was signed in with it ends; its passwords stay for when it is enabled again. */
export async function disable(context: AccessContext, registry: Registry): Promise<void> {
  await context.database.write(disableAdmin, registry.id);
  context.accounts.forgetAdmin(registry.id);
}

/** The passwords in clear, for whoever may see them; undefined when the admin user is disabled. @throws KEY_UNAVAILABLE */
export async function listPasswords(
  context: AccessContext,
  registry: Registry,
): Promise<{ readonly username: string; readonly passwords: readonly AdminCredential[] } | undefined> {
  if (!(await isAdminEnabled(context, registry.id))) return undefined;
  const rows = await sealedPasswords(context.database.read, registry.id);
  const passwords = rows.map(({ slot, sealed_value, data_key_id }) => ({
    name: slot,
    value:
      sealed_value === null || data_key_id === null
        ? undefined
        : open(context, registry, { slot, sealed: sealed_value, keyId: data_key_id }),
  }));
  return { username: await adminName(context, registry), passwords };
}

function open(
  { keys }: AccessContext,
  registry: Registry,
  { slot, sealed, keyId }: { readonly slot: string; readonly sealed: Uint8Array; readonly keyId: string },
): string {
  try {
    return openBytes(keys.get(registry.id, keyId), passwordSeal(registry.id, slot), sealed).toString('utf8');
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    throw new RegistryError('CONTENT_DAMAGED', { message: `the stored ${slot} is damaged; regenerate it`, cause: error });
  }
}
