import { RegistryError } from '../../errors/index.ts';
import { defineTransaction } from '../database/index.ts';
import { type GarbageKind, addCandidate } from './candidates.ts';
import { collectorTransactions } from './claim.ts';
import { type CollectionSubject, defineCollection } from './handler.ts';

/**
 * Transactions of the collector's own tests. Registries named like subjects stand for what is collected: `anonymous_pull`
 * says "in use", `created_at` counts how often a check looked.
 */

export const add = defineTransaction('test.add', async (tx, input: { kind: GarbageKind; subject: string; dueAt: number }) => {
  await addCandidate(tx, input.kind, input.subject, input.dueAt);
});

export const addThing = defineTransaction('test.add-thing', async (tx, input: { name: string; isUsed: boolean }) => {
  await tx
    .insertInto('registries')
    .values({ name: input.name, anonymous_pull: input.isUsed ? 1 : 0, created_at: 0 })
    .execute();
});

/** Deletes the thing unless it is in use. */
export const collectThing = defineCollection('blob', async (tx, { subject }: CollectionSubject) => {
  if (subject === 'cursed') throw new RegistryError('STORAGE_FULL');
  await tx.deleteFrom('registries').where('name', '=', subject).where('anonymous_pull', '=', 0).execute();
  return 'done';
});

/** Takes three looks for each subject, and spares `later` until its time. */
export const collectSlowly = defineCollection('repository', async (tx, { subject, now }: CollectionSubject) => {
  if (subject === 'later' && now < 10_000) return { lookAgainAt: 10_000 };
  if (subject === 'hasty') return { lookAgainAt: now };
  await tx
    .updateTable('registries')
    .set((eb) => ({ created_at: eb('created_at', '+', 1) }))
    .where('name', '=', subject)
    .execute();
  const looks = await tx.selectFrom('registries').select('created_at').where('name', '=', subject).executeTakeFirst();
  return (looks?.created_at ?? 3) < 3 ? 'again' : 'done';
});

/** Deletes the row only of what has been erased. */
export const collectErased = defineCollection('part', async (tx, { subject, isErased, now }: CollectionSubject) => {
  if (!isErased) return { lookAgainAt: now + 5_000 };
  await tx.deleteFrom('registries').where('name', '=', subject).execute();
  return 'done';
});

export const transactions = [...collectorTransactions, add, addThing, collectThing, collectSlowly, collectErased];
