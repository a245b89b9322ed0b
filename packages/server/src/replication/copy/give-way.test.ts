import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GiveWay } from './give-way.ts';

const MiB = 2 ** 20;

/** Time and load as the test says; a client comes every ten milliseconds. */
function opened({ leastBytesPerSecond = 16 * MiB } = {}) {
  const state = { time: 0, load: 0 };
  const utilization = () => ({ idle: 0, active: 0, utilization: state.load });
  const giveWay = new GiveWay({ leastBytesPerSecond, now: () => state.time, utilization });
  const pass = (ms: number, { load, hasClients = true }: { load: number; hasClients?: boolean }): number => {
    state.load = load;
    const end = state.time + ms;
    for (; state.time < end; state.time += 10) {
      if (hasClients) giveWay.served();
      giveWay.bytesPerSecond();
    }
    return giveWay.bytesPerSecond();
  };
  return { giveWay, pass };
}

test('without clients copies take what there is, whatever the load', () => {
  const { giveWay, pass } = opened();
  assert.equal(giveWay.bytesPerSecond(), 0);
  assert.equal(pass(1_000, { load: 1, hasClients: false }), 0);
});

test('with clients on a busy region they go down to the least, and no further', () => {
  const { pass } = opened();
  assert.equal(pass(2_000, { load: 0.3 }), 1024 * MiB);
  assert.equal(pass(2_000, { load: 0.9 }), 16 * MiB);
});

test('with clients and time to spare they speed up; once clients have gone there is no limit', () => {
  const { pass } = opened();
  assert.equal(pass(2_000, { load: 0.9 }), 16 * MiB);
  const first = pass(200, { load: 0.3 });
  assert.ok(first > 16 * MiB && first < 32 * MiB);
  assert.equal(pass(20_000, { load: 0.3 }), 1024 * MiB);
  assert.equal(pass(100, { load: 0.9, hasClients: false }), 0);
});

test('clients who come now and then change nothing', () => {
  const { giveWay, pass } = opened();
  for (let time = 0; time < 20; time += 1) {
    giveWay.served();
    pass(200, { load: 1, hasClients: false });
  }
  assert.equal(pass(10, { load: 1 }), 1024 * MiB);
});

test('they never give way where that is set', () => {
  assert.equal(opened({ leastBytesPerSecond: 0 }).pass(1_000, { load: 1 }), 0);
});
