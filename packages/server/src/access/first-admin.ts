import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { generateSecret } from './generated-passwords.ts';
import { HumanPasswords } from './human-passwords.ts';
import { type Admin, type PasswordSlot, findAdmin } from './queries.ts';
import { adminName, regeneratePassword, sealPassword, storeGenerated } from './regenerate-password.ts';
import { putPassword } from './transactions.ts';

export interface FirstCredentials {
  readonly username: string;
  readonly password: string;
  readonly slot: PasswordSlot;
}

export interface FirstAdminOptions {
  /** A password that a person chose; it becomes the first one of the two. */
  readonly chosenPassword: string | undefined;
  /** Tells the owner a generated password, durably, before it counts. */
  readonly announce: (first: FirstCredentials) => Promise<void>;
  /** What was announced last does not count: another process has made the password at the same time. */
  readonly retract: () => Promise<void>;
}

/**
 * Makes sure that the admin user has both passwords and that its owner knows a generated one: the first, or where a
 * person chose that, the second, which no throttle stands before. A crash between announcing and storing leaves a password
 * that is told but unknown, and the next start makes another; never one that nobody was told.
 */
export async function ensureAdmin(context: AccessContext, registry: Registry, options: FirstAdminOptions): Promise<void> {
  const before = await findAdmin(context.database.read, registry.id);
  const { chosenPassword } = options;
  if (chosenPassword !== undefined) await adoptChosen(context, registry, { admin: before, password: chosenPassword });
  else if (!has(before, 'password')) await makeKnown(context, registry, 'password', options);
  if (has(before, 'password2')) return;
  if (chosenPassword === undefined) await regeneratePassword(context, registry, 'password2');
  else await makeKnown(context, registry, 'password2', options);
}

function has(admin: Admin | undefined, slot: PasswordSlot): boolean {
  return admin?.passwords.some((password) => password.slot === slot) === true;
}

async function makeKnown(
  context: AccessContext,
  registry: Registry,
  slot: PasswordSlot,
  options: FirstAdminOptions,
): Promise<void> {
  const username = await adminName(context, registry);
  const value = generateSecret();
  await options.announce({ username, password: value, slot });
  const isStored = await storeGenerated(context, registry, { slot, username, value, isOnlyIfMissing: true });
  if (!isStored) await options.retract();
}

/** The password of the settings becomes the first one; unchanged, nothing happens and tokens live on. */
async function adoptChosen(
  context: AccessContext,
  registry: Registry,
  { admin, password }: { readonly admin: Admin | undefined; readonly password: string },
): Promise<void> {
  const human = new HumanPasswords();
  const present = admin?.passwords.find((each) => each.slot === 'password' && each.scheme === 'argon2id');
  const isUnchanged =
    present !== undefined && admin?.isEnabled === true && (await human.verify(present.verifier, password, 'start'));
  if (isUnchanged) return;
  const verifier = await human.hash(password);
  const username = admin?.username ?? registry.name;
  const sealed = sealPassword(context, registry, 'password', password);
  const row = { registry_id: registry.id, slot: 'password', scheme: 'argon2id', verifier, username, ...sealed } as const;
  await context.database.write(putPassword, { ...row, now: context.clock.now(), isOnlyIfMissing: false });
  context.accounts.forgetAdmin(registry.id);
}
