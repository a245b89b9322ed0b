import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { generateSecret, verifierOfSecret } from './passwords.ts';
import { findAdmin } from './queries.ts';
import { putPassword } from './transactions.ts';

/** Replaces a password by a generated one, which nobody can read again; sign-ins and tokens of the old ones end. */
export async function regeneratePassword(context: PasswordContext, registry: Registry, slot: PasswordSlot): Promise<{ readonly username: string; readonly value: string }> {
  const value = generateSecret();
  const username = await adminName(context, registry);
  await storeGenerated(context, registry, { slot, username, value });
  return { username, value };
}

export type PasswordSlot = 'password' | 'password2';
export type PasswordContext = Pick<AccessContext, 'database' | 'clock' | 'passwordKey' | 'signIn'>;

export async function adminName(context: PasswordContext, registry: Registry): Promise<string> {
  return (await findAdmin(context.database.read, registry.id))?.username ?? registry.name;
}

export async function storeGenerated(context: PasswordContext, registry: Registry, password: { readonly slot: PasswordSlot; readonly username: string; readonly value: string }): Promise<void> {
  const { slot, username, value } = password;
  const verifier = verifierOfSecret(context.passwordKey, registry.id, value);
  await context.database.write(putPassword, { registry_id: registry.id, slot, scheme: 'keyed-sha256', verifier, username, now: context.clock.now() });
  context.signIn.forget(registry);
}
