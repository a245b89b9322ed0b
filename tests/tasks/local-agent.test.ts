import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskSuite } from './task-suite.ts';

interface Agents {
  readonly agents: readonly { readonly name: string; readonly engine: string; readonly isOnline: boolean }[];
}

taskSuite('the agent that a server starts', {}, (world) => {
  test('comes with it, builds, and goes with it', async () => {
    const here = world();
    await here.pushTools('base/tools:v1', []);
    await here.server.stop();
    await here.startServer({ settings: { agent: 'auto' }, env: { DOCKER_HOST: here.engine.host } });
    const { engine } = await here.until('the agent', async () => {
      const { agents } = (await here.call('GET', '/berth/v1/agents')).json as Agents;
      return agents.find(({ isOnline }) => isOnline);
    });
    assert.equal(engine, 'docker');
    const folder = await here.write('local', { Dockerfile: `FROM ${here.host}/base/tools:v1\nRUN echo built > /made\n` });
    const { code, stderr } = await here.berth(['build', '--image', 'local/built:v1', folder]);
    assert.equal(code, 0, stderr);
    assert.match(await here.digest('local/built', 'v1'), /^sha256:/);
    // It ends its own before it ends itself: what is left of an agent would keep the program from ending.
    assert.equal(await here.server.stop(), 0);
    assert.deepEqual(await here.engine.labelled('berth.agent'), []);
    await here.startServer();
  });
});
