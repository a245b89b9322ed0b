import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '@berth/api';
import { Chance } from '../chaos/content.ts';
import type { StartedAgent } from './started-agent.ts';
import { taskSuite } from './task-suite.ts';
import type { TaskWorld } from './task-world.ts';

const kills = Number(process.env['BERTH_TASK_KILLS'] ?? (process.env['BERTH_LONG'] === '1' ? 60 : 4));
const seed = Number(process.env['BERTH_CHAOS_SEED'] ?? randomInt(2 ** 31));

const file = [
  'version: v1.1.0',
  'steps:',
  '  - id: server',
  '    cmd: $Registry/base/tools:v1 sleep 600',
  '    detach: true',
  '    when: ["-"]',
  '  - id: talk',
  '    cmd: $Registry/base/tools:v1 sh -c "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.2; done"',
  '  - cmd: $Registry/base/tools:v1 sh -c "echo FROM $Registry/base/tools:v1 > Dockerfile"',
  '  - id: build',
  '    build: -t $Registry/chaos/out:$ID .',
  '  - push: ["$Registry/chaos/out:$ID"]',
].join('\n');

/** Queues runs until the server takes one. */
async function queue(world: TaskWorld): Promise<string> {
  const body = { work: { kind: 'inline', content: `${file}\n` }, timeoutSeconds: 300 };
  const { status, json } = await world.call('POST', '/berth/v1/runs', body);
  assert.equal(status, 202, JSON.stringify(json));
  return (json as Run).id;
}

taskSuite('killed servers and agents', {}, (world) => {
  test(`attack 41: ${kills} kills of server or agent, and every run ends in a true state (BERTH_CHAOS_SEED=${seed})`, async (t) => {
    const here = world();
    const chance = new Chance(seed);
    await here.pushTools('base/tools:v1', []);
    let agent: StartedAgent = await here.startAgent({ name: 'victim' });
    const shown = new Map<string, readonly string[]>();
    for (let round = 0; round < kills; round += 1) {
      const ids = [await queue(here), await queue(here)];
      await pause(chance.integer(200, 4_000));
      for (const id of ids)
        shown.set(
          id,
          (await here.log(id)).map(({ text }) => text),
        );
      if (chance.next() < 0.5) {
        await agent.kill();
        agent = await here.startAgent({ name: 'victim' });
      } else {
        await here.server.kill();
        await pause(chance.integer(0, 1_000));
        await here.startServer();
      }
    }
    const counts = new Map<string, number>();
    for (const [id, lines] of shown) {
      const run = await here.ended(id, 120_000);
      counts.set(run.status, (counts.get(run.status) ?? 0) + 1);
      assert.ok(['Succeeded', 'Error', 'Failed'].includes(run.status), `${id} is ${run.status}`);
      const log = (await here.log(id)).map(({ text }) => text);
      assert.deepEqual(log.slice(0, lines.length), lines, `${id} has every line that was shown`);
      if (run.status === 'Succeeded') assert.match(await here.digest('chaos/out', id), /^sha256:/);
      else assert.ok((run.error ?? '').length > 0, `${id} says why it failed`);
    }
    await here.until('an engine with nothing left', async () =>
      (await here.engine.labelled('berth.run')).length === 0 ? true : undefined,
    );
    t.diagnostic(`${kills} kills, ${shown.size} runs: ${[...counts].map(([status, count]) => `${count} ${status}`).join(', ')}`);
  });
});
