import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type SpawnedRegistry, spawnRegistry } from '@berth/testkit';
import { Chance } from './content.ts';
import { RepositoryLedger } from './ledger.ts';
import { ServerConnection } from './server-connection.ts';
import { verifyRepository } from './verify.ts';
import { ChaosWorker } from './worker.ts';

const kills = Number(process.env['BERTH_CHAOS_KILLS'] ?? (process.env['BERTH_LONG'] === '1' ? 200 : 12));
const seed = Number(process.env['BERTH_CHAOS_SEED'] ?? randomInt(2 ** 31));
const workers = 4;

test(`attack 41: ${kills} kills at random moments lose nothing that was acknowledged (BERTH_CHAOS_SEED=${seed})`, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-chaos-'));
  let server: SpawnedRegistry | undefined;
  t.after(async () => {
    await server?.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  const progress = new EventEmitter();
  const chance = new Chance(seed);
  const ledgers = Array.from({ length: workers }, (_, index) => new RepositoryLedger(`chaos/w${index}`));
  const crew = ledgers.map(
    (ledger, index) =>
      new ChaosWorker({
        ledger,
        neighbours: ledgers.filter((each) => each !== ledger),
        chance: new Chance(seed + 1 + index),
        progress,
      }),
  );
  for (let round = 0; round < kills; round += 1) {
    server = await spawnRegistry({ dataDir, settings: chaosSettings });
    const connection = new ServerConnection(server);
    for (const ledger of ledgers) await verifyRepository(connection, ledger);
    if (round % 10 === 9) await assertScrubFindsNothing(connection);
    const work = Promise.all(crew.map((worker) => worker.run(connection)));
    // The random moment is what is tested: no event marks it. Most rounds get as far as a push, on a slow machine too.
    const moment =
      chance.next() < 0.7 ? once(progress, 'pushed').then(() => pause(chance.integer(0, 300))) : pause(chance.integer(20, 700));
    await Promise.race([moment, work]);
    await server.kill();
    await work;
  }
  server = await spawnRegistry({ dataDir, settings: chaosSettings });
  const connection = new ServerConnection(server);
  for (const ledger of ledgers) await verifyRepository(connection, ledger);
  await assertScrubFindsNothing(connection);
  await server.stop();
  const acknowledged = crew.reduce((sum, worker) => sum + worker.acknowledged, 0);
  assert.ok(acknowledged > kills, `only ${acknowledged} pushes were acknowledged: the loop tests too little`);
  t.diagnostic(`${kills} kills, ${acknowledged} acknowledged pushes`);
});

/** Collection at once, so that it runs against pushes all the time. */
const chaosSettings = { garbageDelay: '3s', garbageInterval: '1s', uploadExpiry: '2s' };

async function assertScrubFindsNothing(server: ServerConnection): Promise<void> {
  const started = await server.request('POST', '/berth/v1/scrubs', {
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{}'),
  });
  assert.equal(started.status, 202, started.body.toString());
  for (;;) {
    const answer = await server.request('GET', '/berth/v1/scrubs/latest');
    const state = JSON.parse(answer.body.toString()) as { state: string; damage: unknown[] };
    if (state.state === 'running') {
      await pause(20);
      continue;
    }
    assert.equal(state.state, 'finished');
    assert.deepEqual(state.damage, []);
    return;
  }
}
