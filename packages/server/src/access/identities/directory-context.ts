import { RegistryError } from '../../errors/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database, IdentityRow } from '../../platform/database/index.ts';
import type { GeneratedPasswords } from '../generated-passwords.ts';
import { requireMadeHere } from '../written-elsewhere.ts';
import { findByAnyName } from './queries.ts';
import type { Added } from './transactions.ts';

/** What managing the directory works with. */
export interface DirectoryContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly generated: GeneratedPasswords;
  /** An identity is not what it was: what is remembered of it must go. */
  readonly onChange: (identityId: string) => void;
}

/** @throws NOT_FOUND */
export async function requireIdentity({ database }: DirectoryContext, name: string): Promise<IdentityRow> {
  const found = await findByAnyName(database.read, name);
  if (found === undefined) throw missing(`no identity has the name or id ${JSON.stringify(name.slice(0, 64))}`);
  return found;
}

/** One whose credentials are written here. @throws NOT_FOUND, HOME_REGION_ONLY */
export async function requireOwnIdentity(context: DirectoryContext, name: string): Promise<IdentityRow> {
  const found = await requireIdentity(context, name);
  await requireMadeHere(context.database.read, { kind: 'identity', subject: found.id });
  return found;
}

/** @throws NOT_FOUND, NAME_IN_USE, CONFLICT unless it was added */
export function requireAdded(outcome: Added, what: string): void {
  if (outcome === 'gone') throw missing('the identity was deleted meanwhile');
  if (outcome === 'taken') throw new RegistryError('NAME_IN_USE', { message: `${what} of this id belongs to another identity` });
  if (outcome === 'full')
    throw new RegistryError('CONFLICT', { message: `there are as many of these as there may be; delete ${what} first` });
}

export function missing(message: string): RegistryError {
  return new RegistryError('NOT_FOUND', { message });
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
