import type { FactRequest } from '@berth/api';
import { type LocalChange, type Register, attributesThatHold, findRegister, never, recordChanges } from '../changes/index.ts';
import type { WriteQueries } from '../platform/database/index.ts';
import { placeAttributes } from './placing/place-attributes.ts';
import { dropWaitingTags, showWaitingTags } from './settle-tags.ts';

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
 * what is made anew of that name: so all regions come to the same.
 */
export async function logChanges(tx: WriteQueries, { created = [], ...input }: ToLog): Promise<void> {
  const { registers } = await recordChanges(tx, input);
  if (registers === undefined) return;
  const isNew = new Set(created);
  await settleTags(tx, input, { registers, isNew });
  if (created.length === 0) return;
  for (const [position, change] of input.changes.entries()) {
    const register = registers[position];
    if (register === undefined) continue;
    if (change.action === 'tag' && isNew.has(change.tag)) await applyHeld(tx, input, { of: { tag: change.tag }, register });
    if (change.action === 'push' && isNew.has(change.digest))
      await applyHeld(tx, input, { of: { digest: change.digest }, register });
  }
  if (!isNew.has('')) return;
  const { registryId, repository } = input;
  const register = await findRegister(tx, { registryId, repository, kind: 'repository', name: '' });
  if (register !== undefined) await applyHeld(tx, input, { of: undefined, register });
}

async function settleTags(
  tx: WriteQueries,
  { registryId, repository, changes, now }: ToLog,
  { registers, isNew }: { readonly registers: readonly Register[]; readonly isNew: ReadonlySet<string> },
): Promise<void> {
  for (const [position, change] of changes.entries()) {
    const register = registers[position];
    if (register === undefined || (change.action !== 'push' && change.action !== 'delete')) continue;
    const manifest = { registryId, repository, digest: change.digest, register, now };
    if (change.action === 'delete') await dropWaitingTags(tx, manifest);
    else if (isNew.has(change.digest)) await showWaitingTags(tx, manifest);
  }
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
  const held = Object.entries(attributesThatHold(register, ofRepository?.deleted ?? never));
  if (held.length === 0) return;
  const values = Object.fromEntries(held.map(([name, { value }]) => [name, value]));
  await placeAttributes(tx, { registryId, repository, now, of, values });
}
