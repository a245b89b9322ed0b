import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { forEachEngine } from '@berth/testkit';
import { type ChangesRead, readChanges } from './read-changes.ts';
import { changeRow } from './record-changes.ts';
import { namesOf, openTestLog } from './test-log.ts';

/** Without it the test's own time limit ends the wait. */
async function until<T>(look: () => Promise<T>, isEnough: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await look();
    if (isEnough(found)) return found;
    await delay(10);
  }
}

/** On SQLite writers are serial. */
forEachEngine((engine) => {
  if (engine.name !== 'postgres') return;
  test('a transaction that commits late is not passed over, whatever sequence it drew', async (t) => {
    const log = await openTestLog(engine, t);
    const { read } = log.database;
    const start = `0.0.${log.clock.now()}`;
    const readNow = (after: string): Promise<ChangesRead> =>
      readChanges(log.database, { registryId: log.registryId, after, limit: 10, tombstoneRetentionMs: 1, now: 0 });
    const row = (name: string) =>
      changeRow({
        registryId: log.registryId,
        stamp: { clock: 7, origin: 'local' },
        action: 'tag',
        fact: { kind: 'tag', repository: 'a', name },
        isVisible: true,
        now: log.clock.now(),
      });
    const [drawn, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // The early one gets its id first; the late one draws its sequence first.
    const early = await read.startTransaction().execute();
    await early.insertInto('change_cursors').values({ registry_id: log.registryId, consumer: 'x', sequence: 0 }).execute();
    const late = read.transaction().execute(async (tx) => {
      await tx.insertInto('changes').values(row('late')).execute();
      drawn.resolve();
      await mayCommit.promise;
    });
    await drawn.promise;
    await early.insertInto('changes').values(row('early')).execute();
    await early.commit().execute();
    // It comes once nothing older runs, here or in another database of the server; the late one is not older.
    const first = await until(
      () => readNow(start),
      ({ changes }) => changes.length > 0,
    );
    assert.deepEqual(namesOf(first), ['early']);
    await log.write(1, 'behind');
    assert.deepEqual(namesOf(await readNow(first.next)), []);
    mayCommit.resolve();
    await late;
    assert.deepEqual(namesOf(await log.read(first.next)), ['late', 'behind0']);
  });
});
