import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import { makeRegisters } from './make-registers.ts';
import { ticksPerMs } from './model.ts';
import { findRegister } from './queries.ts';
import { readSnapshot } from './read-snapshot.ts';
import { pruneLog } from './prune-log.ts';
import { pruneRegisters } from './prune-registers.ts';
import { type TestLog, dayMs, openTestLog } from './test-log.ts';
import { addContent, insertRow, joinFact, keepCursor, setReplicated } from './test-transactions.ts';

async function snapshotOf({ database, registryId, clock }: TestLog, limit: number): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for (let after: string | undefined; ; ) {
    const page = await readSnapshot(database, { registryId, after, limit, now: clock.now() });
    facts.push(...page.facts);
    if (page.next === undefined) return facts;
    after = page.next;
  }
}

const stampAt = (ms: number, origin = 'west') => ({ clock: ms * ticksPerMs, origin });

async function namesLeft({ database, registryId }: TestLog): Promise<readonly string[]> {
  const rows = await database.read
    .selectFrom('registers')
    .select(['kind', 'name'])
    .where('registry_id', '=', registryId)
    .execute();
  return rows.map(({ kind, name }) => `${kind} ${name}`).toSorted();
}

forEachEngine((engine) => {
  test('two that tell of one name at once are joined, both', async (t) => {
    const log = await openTestLog(engine, t);
    const { database, registryId } = log;
    const fact = (clock: number): Fact => ({
      kind: 'tag',
      repository: 'a',
      name: 'v1',
      ...(clock % 2 === 0
        ? { set: { clock, origin: 'west', digest: `sha256:${clock}` } }
        : { deleted: { clock, origin: 'west' } }),
    });
    const clocks = Array.from({ length: 40 }, (_, number) => number + 1);
    await Promise.all(clocks.map((clock) => database.write(joinFact, { registryId, fact: fact(clock) })));
    const register = await findRegister(database.read, { registryId, repository: 'a', kind: 'tag', name: 'v1' });
    assert.deepEqual(register?.set, { clock: 40, origin: 'west', digest: 'sha256:40' });
    assert.deepEqual(register?.deleted, { clock: 39, origin: 'west' });
  });

  test('what was there before a registry was replicated has registers, page by page the whole state', async (t) => {
    const log = await openTestLog(engine, t, false);
    const { database, registryId, clock } = log;
    const pushedAt = clock.now() - dayMs;
    await database.write(addContent, { registryId, repository: 'a', manifests: 501, tags: 502, pushedAt });
    await database.write(addContent, { registryId, repository: 'b', manifests: 1, tags: 0, pushedAt: clock.now() + dayMs });
    await database.write(addContent, { registryId, repository: 'empty', manifests: 0, tags: 0, pushedAt });
    await database.write(setReplicated, { registryId });
    const tooEarly = readSnapshot(database, { registryId, after: undefined, limit: 10, now: clock.now() });
    await assert.rejects(tooEarly, { error: 'UNAVAILABLE' });
    // Written since: it keeps its later stamp, and takes in the lock that was there before.
    await log.record({ action: 'push', repository: 'a', digest: 'sha256:000000' });
    assert.equal(await makeRegisters({ database, clock }, t.signal), 1);
    assert.equal(await makeRegisters({ database, clock }, t.signal), 0);
    const facts = await snapshotOf(log, 100);
    assert.equal(facts.length, 501 + 502 + 1 + 3);
    assert.equal(new Set(facts.map(({ kind, repository, name }) => `${kind} ${repository} ${name}`)).size, facts.length);
    const of = (kind: Fact['kind'], repository: string, name: string): Fact | undefined =>
      facts.find((fact) => fact.kind === kind && fact.repository === repository && fact.name === name);
    const [now, before] = [stampAt(clock.now(), 'local'), stampAt(pushedAt, 'local')];
    const locked = of('manifest', 'a', 'sha256:000000');
    assert.deepEqual(locked?.set, now);
    assert.deepEqual(locked?.attributes, { delete_enabled: { ...before, value: 0 } });
    assert.deepEqual(of('tag', 'a', 't000501')?.set, { ...before, digest: 'sha256:000000' });
    // A clock that was ahead once is not believed.
    assert.deepEqual(of('manifest', 'b', 'sha256:000000')?.set, now);
    assert.equal(of('repository', 'empty', '')?.attributes?.list_enabled?.value, 0);
    await log.cursor();
    const { total, cursor } = await readSnapshot(database, { registryId, after: undefined, limit: 1, now: clock.now() });
    assert.equal(total, facts.length);
    await log.write(1, 'later');
    const { changes } = await log.read(cursor);
    assert.deepEqual(
      changes.map(({ fact }) => fact.name),
      ['later0'],
    );
  });

  test('old entries go, but not the newest, the latest, nor what somebody has yet to read', async (t) => {
    const log = await openTestLog(engine, t);
    const { database, registryId, clock } = log;
    const row = { registryId, origin: 'west', at: clock.now() };
    for (const each of [1, 99_999_999_999_999, 3, 4, 5, 6]) await database.write(insertRow, { ...row, clock: each });
    const clocks = async (): Promise<readonly number[]> => {
      const rows = await database.read
        .selectFrom('changes')
        .select('clock')
        .where('registry_id', '=', registryId)
        .orderBy('sequence')
        .execute();
      return rows.map((each) => each.clock);
    };
    const all = await database.read
      .selectFrom('changes')
      .select('sequence')
      .where('registry_id', '=', registryId)
      .orderBy('sequence')
      .execute();
    await database.write(keepCursor, { registryId, consumer: 'webhooks', sequence: all[3]?.sequence ?? 0 });
    const prune = (before: number, beforeAtLast: number): Promise<boolean> =>
      database.write(pruneLog, { registryId, engine: database.engine, before, beforeAtLast });
    await prune(clock.now(), 0);
    assert.equal((await clocks()).length, 6);
    await prune(clock.now() + 1, 0);
    assert.deepEqual(await clocks(), [99_999_999_999_999, 4, 5, 6]);
    // A consumer that has stopped does not keep it for ever.
    await prune(clock.now() + 1, clock.now() + 1);
    assert.deepEqual(await clocks(), [99_999_999_999_999, 6]);
    await prune(clock.now() + 1, clock.now() + 1);
    assert.deepEqual(await clocks(), [99_999_999_999_999, 6]);
  });

  test('deletions are forgotten once they are old, and nothing that they still decide about', async (t) => {
    const log = await openTestLog(engine, t);
    const { database, registryId, clock } = log;
    const [past, recent] = [clock.now() - 10 * dayMs, clock.now() - dayMs];
    await database.write(addContent, { registryId, repository: 'a', manifests: 1, tags: 1, pushedAt: past });
    const tell = (fact: Omit<Fact, 'repository'>): Promise<void> =>
      database.write(joinFact, { registryId, fact: { repository: 'a', ...fact } });
    const [old, new_] = [stampAt(past), stampAt(recent)];
    await tell({ kind: 'tag', name: 'old', deleted: old });
    await tell({ kind: 'tag', name: 'recent', deleted: new_ });
    await tell({ kind: 'tag', name: 'back', deleted: old, set: { ...stampAt(past + 1), digest: 'sha256:000000' } });
    await tell({ kind: 'tag', name: 'locked', deleted: old, attributes: { write_enabled: { ...new_, value: 0 } } });
    await tell({ kind: 'manifest', name: 'sha256:000000', set: stampAt(past) });
    await tell({ kind: 'manifest', name: 'sha256:gone', set: stampAt(past - 1), deleted: old });
    await tell({ kind: 'tag', name: 'went', set: { ...stampAt(past - 1), digest: 'sha256:gone' } });
    // Live although its register says otherwise: better to remember.
    await tell({ kind: 'tag', name: 't000000', deleted: old });
    await tell({ kind: 'repository', name: '', deleted: stampAt(past - 2) });
    await pruneRegisters(database, { registryId, before: clock.now() - 5 * dayMs }, t.signal);
    const kept = ['manifest sha256:000000', 'repository ', 'tag back', 'tag locked', 'tag recent', 'tag t000000'];
    // Of something that holds attributes the deletion of the repository may decide.
    assert.deepEqual(await namesLeft(log), kept);
    clock.time += 30 * dayMs;
    await pruneRegisters(database, { registryId, before: clock.now() - 5 * dayMs }, t.signal);
    assert.deepEqual(await namesLeft(log), ['manifest sha256:000000', 'tag back', 'tag t000000']);
  });
});
