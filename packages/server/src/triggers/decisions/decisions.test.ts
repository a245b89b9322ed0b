import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { baseImageTrigger, openTestTriggers } from '../test-triggers.ts';
import { type TriggerDecision, decisionsKeptMs, maxDecisions } from './model.ts';
import { decisionsOf } from './queries.ts';
import { expireDecisions, recordDecisions } from './transactions.ts';

forEachEngine((engine) => {
  test('decisions of a task are bounded, the same refusal counts, and old ones go', async (t) => {
    const { context, registry, clock } = await openTestTriggers(engine, t);
    const { database } = context;
    const decision = (task: string, isFired: boolean, reason: string): TriggerDecision => {
      const facts = { registryId: registry.id, task, trigger: 'x', kind: 'timer', isFired, reason } as const;
      return { ...facts, run: isFired ? 'ca1' : null, details: { why: reason } };
    };
    const record = (decisions: readonly TriggerDecision[]) => database.write(recordDecisions, { decisions, now: clock.now() });
    const of = (task: string) => decisionsOf(database.read, { registryId: registry.id, task, limit: 2_000 });
    await record([decision('other', true, 'first')]);
    await record([1, 2, 3].map(() => decision('other', false, 'again')));
    const [again, first, ...others] = await of('other');
    assert.equal(others.length, 0);
    assert.deepEqual([again?.details, first?.reason], ['{"why":"again","times":3}', 'first']);
    const many = Array.from({ length: maxDecisions + 50 }, (_, n) => decision('many', true, String(n)));
    await record(many);
    const kept = await of('many');
    assert.equal(kept.length, maxDecisions);
    assert.deepEqual([kept[0]?.reason, kept.at(-1)?.reason], [String(maxDecisions + 49), '50']);
    assert.equal((await of('other')).length, 2, 'of each task');
    clock.time += decisionsKeptMs;
    await record([decision('many', true, 'late')]);
    const before = clock.time - decisionsKeptMs + 1;
    while ((await database.write(expireDecisions, { before, limit: 300 })) === 300);
    assert.deepEqual(
      (await of('many')).map(({ reason }) => reason),
      ['late'],
    );
  });

  test('the endpoint of a trigger is told of each run, and that it could not be stands among the decisions', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const told: { readonly body: string; readonly type: string | undefined }[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        told.push({ body: Buffer.concat(chunks).toString(), type: request.headers['content-type'] });
        response.writeHead(status).end();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => void server.once('listening', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const updateTriggerEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const put = (more: object) =>
      triggers.put('telling', { baseImageTrigger: { ...baseImageTrigger, updateTriggerEndpoint, ...more } });
    await put({});
    const base = await triggers.push('base');
    await triggers.follow();
    await triggers.finish(await triggers.run('telling', { updateToken: 'dG9rZW4=' }), [{ repository: 'base', digest: base }]);
    const second = await triggers.push('base');
    await triggers.follow();
    await until(() => told.length === 1);
    const [run] = await triggers.runs('telling');
    assert.ok(run !== undefined);
    const { timestamp, id, ...payload } = JSON.parse(told[0]?.body ?? '') as Record<string, unknown>;
    assert.ok(typeof timestamp === 'string' && typeof id === 'string');
    assert.deepEqual(payload, {
      action: 'base_image_update',
      registry: 'local.example',
      task: 'telling',
      run: run.id,
      images: [{ registry: 'local.example', repository: 'base', tag: 'latest', digest: second }],
      token: 'dG9rZW4=',
    });
    await triggers.finish(run, [{ repository: 'base', digest: second }]);
    await put({ updateTriggerPayloadType: 'Token' });
    status = 500;
    await triggers.push('base');
    await triggers.follow();
    await until(() => told.length === 2);
    assert.equal(told[1]?.body, '{"token":"dG9rZW4="}');
    await until(async () => /was not told of the run ca\w+: it answers 500/.test((await triggers.reasons('telling'))[0] ?? ''));
  });
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await isSo()); await new Promise((resolve) => void setImmediate(resolve)))
    assert.ok(performance.now() - began < 20_000, 'it did not happen');
}
