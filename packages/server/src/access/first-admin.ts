import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { HumanPasswords, generateSecret } from './passwords.ts';
import { adminPasswords, findAdmin } from './queries.ts';
import { adminName, regeneratePassword, storeGenerated } from './regenerate-password.ts';
import { putPassword } from './transactions.ts';

export interface FirstCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Makes sure that the admin user has both passwords. A first password that is generated is told to `announce` before
 * it counts: a crash in between leaves a password that is told but unknown, and the next start makes another, never one
 * that nobody was told.
 */
export async function ensureAdmin(context: AccessContext, registry: Registry, options: { readonly chosenPassword: string | undefined; readonly announce: (first: FirstCredentials) => Promise<void> }): Promise<void> {
  const existing = await adminPasswords(context.database.read, registry.id);
  if (options.chosenPassword !== undefined) await adoptChosen(context, registry, options.chosenPassword);
  else if (!existing.some((row) => row.slot === 'password')) {
    const username = await adminName(context, registry);
    const value = generateSecret();
    await options.announce({ username, password: value });
    await storeGenerated(context, registry, { slot: 'password', username, value });
  }
  if (!existing.some((row) => row.slot === 'password2')) await regeneratePassword(context, registry, 'password2');
}

/** The password of the settings becomes the first one; unchanged, nothing happens and tokens live on. */
async function adoptChosen(context: AccessContext, registry: Registry, password: string): Promise<void> {
  const human = new HumanPasswords();
  const row = (await adminPasswords(context.database.read, registry.id)).find((each) => each.slot === 'password');
  const admin = await findAdmin(context.database.read, registry.id);
  if (row?.scheme === 'argon2id' && admin?.is_enabled === 1 && (await human.verify(row.verifier, password))) return;
  const verifier = await human.hash(password);
  const username = admin?.username ?? registry.name;
  await context.database.write(putPassword, { registry_id: registry.id, slot: 'password', scheme: 'argon2id', verifier, username, now: context.clock.now() });
  context.signIn.forget(registry);
}
