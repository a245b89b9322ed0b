import { RegistryError } from '../errors/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { generateSecret } from './generated-passwords.ts';
import { putTokenPasswords } from './token-transactions.ts';

type Slot = 'password1' | 'password2';

export interface GeneratedPassword {
  readonly name: Slot;
  readonly creationTime: string;
  readonly expiry?: string;
  readonly value?: string;
}

/**
 * Makes new passwords of a repository-scoped token; their values can be read this once. What was signed in with the ones
 * that they replace ends. @throws INVALID_PARAMETER when there is no such token
 */
export async function generateTokenPasswords(
  context: AccessContext,
  registry: Registry,
  wanted: { readonly name: string; readonly slots: readonly Slot[]; readonly expiry: number | null },
): Promise<{ readonly username: string; readonly passwords: readonly GeneratedPassword[] }> {
  const values = new Map(wanted.slots.map((slot) => [slot, generateSecret()]));
  const stored = await context.database.write(putTokenPasswords, {
    registryId: registry.id,
    name: wanted.name,
    passwords: [...values].map(([slot, value]) => ({ slot, verifier: context.generated.verifierOf(registry.id, value) })),
    expiresAt: wanted.expiry,
    now: context.clock.now(),
  });
  context.accounts.forgetToken(registry, wanted.name);
  if (stored === undefined)
    throw new RegistryError('INVALID_PARAMETER', {
      message: `there is no token ${wanted.name} in ${registry.name}`,
      target: 'tokenId',
    });
  const passwords = stored.passwords.map(({ slot, created_at, expires_at }) => {
    const value = values.get(slot);
    return { ...describePassword({ slot, created_at, expires_at }), ...(value !== undefined && { value }) };
  });
  return { username: stored.username, passwords };
}

/** As clients see a password that is kept: when it was made, until when it works. */
export function describePassword({
  slot,
  created_at,
  expires_at,
}: {
  readonly slot: Slot;
  readonly created_at: number;
  readonly expires_at: number | null;
}): GeneratedPassword {
  return {
    name: slot,
    creationTime: new Date(created_at).toISOString(),
    ...(expires_at !== null && { expiry: new Date(expires_at).toISOString() }),
  };
}
