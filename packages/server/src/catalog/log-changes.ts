import type { FactRequest } from '@berth/api';
import { type LocalChange, type Register, findRegister, never, recordChanges, valuesThatHold } from '../changes/index.ts';
import type { WriteQueries } from '../platform/database/index.ts';
import { placeAttributes } from './placing/place-attributes.ts';
import { showWaitingTags } from './show-waiting-tags.ts';

/** What a transaction did to one repository, and for whom. */
export interface ToLog {
  readonly registryId: number;
  readonly repository: string;
  readonly changes: readonly LocalChange[];
  /** Names that were not there before: a digest, tags; an empty name: the repository. */
  readonly created?: readonly string[];
  /** Who asked for it; absent: the registry itself did it. */
  readonly request?: FactRequest | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/**
 * Writes into the log what was done, last of all. What was said elsewhere of a name after it was last deleted holds for
 * what is made anew of that name, and tags that were pointed at it elsewhere show it: so all regions come to the same.
 */
export async function logChanges(tx: WriteQueries, { created = [], ...input }: ToLog): Promise<void> {
  const { registers } = await recordChanges(tx, input);
  if (registers === undefined || created.length === 0) return;
  const isNew = new Set(created);
  for (const [position, change] of input.changes.entries()) {
    const register = registers[position];
    if (register === undefined) continue;
    if (change.action === 'tag' && isNew.has(change.tag)) await applyHeld(tx, input, { of: { tag: change.tag }, register });
    if (change.action !== 'push' || !isNew.has(change.digest)) continue;
    await applyHeld(tx, input, { of: { digest: change.digest }, register });
    await showWaitingTags(tx, { ...input, digest: change.digest, register });
  }
  if (!isNew.has('')) return;
  const { registryId, repository } = input;
  const register = await findRegister(tx, { registryId, repository, kind: 'repository', name: '' });
  if (register !== undefined) await applyHeld(tx, input, { of: undefined, register });
}

async function applyHeld(
  tx: WriteQueries,
  { registryId, repository, now }: ToLog,
  {
    of,
    register,
  }: { readonly of: { readonly tag: string } | { readonly digest: string } | undefined; readonly register: Register },
): Promise<void> {
  if (Object.keys(register.attributes).length === 0) return;
  const ofRepository = await findRegister(tx, { registryId, repository, kind: 'repository', name: '' });
  const values = valuesThatHold(register, ofRepository?.deleted ?? never);
  if (Object.keys(values).length === 0) return;
  await placeAttributes(tx, { registryId, repository, now, of, values });
}
