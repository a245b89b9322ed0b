import type { RunsContext } from '../runs-context.ts';
import { dropObjects, hasExpired, takeExpired } from './objects.ts';

const batchSize = 50;
/** Of one batch; afterwards another process may try. */
const patienceMs = 600_000;

/** Erases what nobody needs: from the store first, so that a crash leaves rows that lead there. */
export async function eraseExpired({
  database,
  store,
  clock,
  signal,
}: Pick<RunsContext, 'database' | 'store' | 'clock' | 'signal'>): Promise<void> {
  while (!signal.aborted) {
    const now = clock.now();
    // After most runs there is nothing: the next claim need not wait behind a look of the writer.
    if (!(await hasExpired(database.read, now))) return;
    const expired = await database.write(takeExpired, { now, heldUntil: now + patienceMs, limit: batchSize });
    if (expired.length === 0) return;
    await store.deleteMany(expired.map((object) => object.part_name));
    await database.write(dropObjects, { ids: expired.map(({ id }) => id) });
  }
}
