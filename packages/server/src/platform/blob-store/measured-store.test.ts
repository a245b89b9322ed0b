import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newName } from './blob-store.contract.ts';
import { faultyStore } from './faulty-store.ts';
import { type StoreMeasurement, measuredStore } from './measured-store.ts';
import { openMemoryStore } from './memory-store.ts';

test('tells of each call: what, how long, how many bytes, and how it ended', async () => {
  const faults = { spaceBytes: 10, transient: 0, failedCommit: 0 };
  const seen: StoreMeasurement[] = [];
  let time = 0;
  const store = measuredStore(faultyStore(openMemoryStore(), faults, 1), { now: () => (time += 2) }, (measurement) =>
    seen.push(measurement),
  );
  const part = newName();
  const writer = await store.create(part);
  await writer.append([Buffer.alloc(4), Buffer.alloc(5)]);
  await assert.rejects(writer.append([Buffer.alloc(5)]));
  await writer.cancel();
  const again = await store.create(part);
  faults.failedCommit = 1;
  await assert.rejects(again.commit());
  faults.failedCommit = 0;
  await store.deleteMany([part]);
  const last = await store.create(part);
  await last.append([Buffer.alloc(1)]);
  await last.commit();
  await assert.rejects(store.create(part));
  const reader = await store.open(part);
  await reader.read(0, Buffer.alloc(9));
  await reader.close();
  await assert.rejects(store.open(newName()));
  await assert.rejects(store.open(part, AbortSignal.abort()));
  faults.transient = 1;
  await assert.rejects(store.check());
  assert.deepEqual(
    seen.map(({ operation, outcome, bytes }) => `${operation} ${outcome} ${bytes}`),
    [
      'create ok 0',
      'append ok 9',
      'append full 0',
      'cancel ok 0',
      'create ok 0',
      'commit failed 0',
      'delete ok 0',
      'create ok 0',
      'append ok 1',
      'commit ok 0',
      'create exists 0',
      'open ok 0',
      'read ok 1',
      'open missing 0',
      'open aborted 0',
      'check transient 0',
    ],
  );
  assert.ok(seen.every((measurement) => measurement.durationMs === 2 && measurement.kind === 'memory'));
  await store.close();
});
