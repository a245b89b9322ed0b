import type { Admin, PasswordSlot } from './queries.ts';

/** A sign-in, by what must still be so for it to count: the user enabled since then, this very password in place. */
export interface SignedIn {
  readonly username: string;
  readonly generation: number;
  readonly slot: PasswordSlot;
  /** When the password was set, in milliseconds; names it for ever. */
  readonly since: number;
}

/** Whether what was signed in with still stands (attacks 19, 22). */
export function isCurrent(signedIn: SignedIn, admin: Admin | undefined): boolean {
  if (admin === undefined || admin.username !== signedIn.username || admin.generation !== signedIn.generation) return false;
  return admin.passwords.some((password) => password.slot === signedIn.slot && password.created_at === signedIn.since);
}
