import { sealBytes } from '../platform/sealing/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { generateSecret } from './generated-passwords.ts';
import { type PasswordSlot, findAdmin } from './queries.ts';
import { putPassword } from './transactions.ts';

export interface NewPassword {
  readonly username: string;
  readonly value: string;
}

/** Replaces a password by a generated one, which nobody can read again; sign-ins and tokens of the old one end. */
export async function regeneratePassword(context: AccessContext, registry: Registry, slot: PasswordSlot): Promise<NewPassword> {
  const username = await adminName(context, registry);
  const value = generateSecret();
  await storeGenerated(context, registry, { slot, username, value, isOnlyIfMissing: false });
  return { username, value };
}

/** The admin user is named like its registry, as ACR's is. */
export async function adminName({ database }: AccessContext, registry: Registry): Promise<string> {
  return (await findAdmin(database.read, registry.id))?.username ?? registry.name;
}

/** Returns whether it was stored: with `isOnlyIfMissing`, another process may have been faster. */
export async function storeGenerated(
  context: AccessContext,
  registry: Registry,
  password: NewPassword & { readonly slot: PasswordSlot; readonly isOnlyIfMissing: boolean },
): Promise<boolean> {
  const { value, ...rest } = password;
  const verifier = context.generated.verifierOf(registry.id, value);
  const sealed = sealPassword(context, registry, rest.slot, value);
  const row = {
    registry_id: registry.id,
    scheme: 'keyed-sha256',
    verifier,
    now: context.clock.now(),
    ...sealed,
    ...rest,
  } as const;
  const isStored = await context.database.write(putPassword, row);
  context.accounts.forgetAdmin(registry.id);
  return isStored;
}

/** As it is kept for whoever may see it (`listCredentials`): sealed with the registry's key. */
export function sealPassword(
  { keys }: AccessContext,
  registry: Registry,
  slot: PasswordSlot,
  value: string,
): { readonly sealed_value: Uint8Array; readonly data_key_id: string } {
  const key = keys.current(registry.id);
  return { sealed_value: sealBytes(key, passwordSeal(registry.id, slot), Buffer.from(value)), data_key_id: key.id };
}

/** The associated data of a sealed password. */
export function passwordSeal(registryId: number, slot: string): string {
  return `admin-password:${registryId}:${slot}`;
}
