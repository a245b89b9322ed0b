import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '@berth/api';
import { forEachEngine } from '@berth/testkit';
import fc from 'fast-check';
import { type CompiledQuery, sql } from 'kysely';
import { waitingFor } from './agents/waiting.ts';
import { heldRuns } from './queries.ts';
import { openTestRuns } from './test-runs.ts';

forEachEngine((engine) => {
  test('claims at once never give one run to two agents, and each gets what it can execute, the oldest first', async (t) => {
    const runs = await openTestRuns(engine, t);
    const own = { shared: await runs.addAgent(), fast: await runs.addAgent({ agentPool: 'fast' }) };
    const kinds = ['amd64', 'arm64'] as const;
    const arbitraryRun = fc.record({ architecture: fc.constantFrom(...kinds), isFast: fc.boolean() });
    const arbitraryClaim = fc.record({ architectures: fc.subarray([...kinds], { minLength: 1 }), isFast: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryRun, { minLength: 1, maxLength: 12 }),
        fc.array(arbitraryClaim, { minLength: 1, maxLength: 12 }),
        async (queued, claims) => {
          for (const { architecture, isFast } of queued) {
            const platform = { os: 'Linux' as const, architecture };
            await runs.queue({}, { platform, ...(isFast && { agentPool: 'fast' }) });
          }
          const names = claims.map((_, index) => `agent ${index}`);
          const given = await Promise.all(
            claims.map(({ architectures, isFast }, index) =>
              runs.claim(isFast ? own.fast : own.shared, { architectures, name: names[index] ?? '' }),
            ),
          );
          const assignments = given.flatMap((assignment) => assignment ?? []);
          const ids = assignments.map(({ run }) => run.id);
          assert.equal(new Set(ids).size, ids.length, 'one run went to two agents');
          for (const [index, assignment] of given.entries()) {
            const claim = claims[index];
            assert.ok(assignment === undefined || claim?.architectures.some((each) => each === assignment.platform.architecture));
          }
          // What is left fits no claim that got nothing.
          const left = await runs.runs.list({ registryId: runs.registry.id, statuses: ['Queued'], limit: 100 });
          for (const [index, { architectures, isFast }] of claims.entries()) {
            if (given[index] !== undefined) continue;
            const fits = left.filter(
              ({ platform, agentPool }) =>
                (agentPool === 'fast') === isFast && architectures.some((each) => each === platform.architecture),
            );
            assert.deepEqual(fits, []);
          }
          for (const { id } of left) await runs.runs.cancel(runs.registry.id, id);
          await Promise.all(assignments.map((assignment) => runs.report(agentOf(assignment), assignment, { end: ended })));
          function agentOf(assignment: Assignment): typeof own.shared {
            return claims[given.indexOf(assignment)]?.isFast === true ? own.fast : own.shared;
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('every run that is held can sign in, and no other', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const able = async () => {
      const keys = runs.database.read.selectFrom('machine_keys').select('name').where('kind', '=', 'run');
      return (await keys.orderBy('name').execute()).map(({ name }) => name);
    };
    for (let index = 0; index < 6; index += 1) await runs.queue();
    const left = new AbortController();
    left.abort();
    assert.equal(await runs.claim(agent, { name: 'left', signal: left.signal }), undefined);
    assert.deepEqual(await able(), [], 'nobody holds the one that was given back');
    // All of them expect the first in line, and one gets it.
    const given = await Promise.all(['a', 'b', 'c', 'd'].map((name) => runs.claim(agent, { name })));
    const held = given.flatMap((assignment) => assignment ?? []);
    assert.deepEqual(await able(), held.map(({ run }) => run.id).toSorted());
    assert.ok(held.length > 1);
    for (const assignment of held) await runs.report(agent, assignment, { end: ended });
    assert.deepEqual(await able(), []);
  });

  test('a queue is emptied in its order', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const queued = [];
    for (let index = 0; index < 5; index += 1) queued.push((await runs.queue()).id);
    const claimed = [];
    for (let index = 0; index < 5; index += 1) claimed.push((await runs.claim(agent, { name: `${index}` }))?.run.id);
    assert.deepEqual(claimed, queued);
    assert.equal(await runs.claim(agent), undefined);
  });

  test('an agent takes runs of its registry; one of the deployment takes all, but none of a pool', async (t) => {
    const runs = await openTestRuns(engine, t);
    const other = await runs.addRegistry();
    await runs.queue({ registry: other });
    await runs.queue({}, { agentPool: 'fast' });
    await runs.queue({}, { platform: { os: 'Windows', architecture: 'amd64' } });
    const own = await runs.addAgent();
    const shared = await runs.addAgent({ isShared: true });
    assert.equal(await runs.claim(own), undefined);
    const taken = await runs.claim(shared);
    assert.equal(taken?.run.registryName, other.name);
    assert.equal((await runs.report(shared, taken, { log: [] })).status, 200, 'and it reports to the registry of its key');
    assert.equal(await runs.claim(shared, { holds: [taken.run.id] }), undefined);
    assert.equal((await runs.claim(shared, { os: 'Windows', name: 'two' }))?.platform.os, 'Windows');
  });

  test('a registry has no more runs in work than it may, and says so to those that wait', async (t) => {
    const runs = await openTestRuns(engine, t, { runsAtOnce: 2 });
    const agent = await runs.addAgent({ isShared: true });
    const other = await runs.addRegistry();
    for (let index = 0; index < 6; index += 1) await runs.queue();
    await runs.queue({ registry: other });
    const names = ['a', 'b', 'c', 'd', 'e'];
    const given = await Promise.all(names.map((name) => runs.claim(agent, { name })));
    const registries = given.flatMap((assignment) => assignment?.run.registryName ?? []).toSorted();
    assert.deepEqual(registries, [other.name, runs.registry.name, runs.registry.name].toSorted());
    // Which of them were given depends on who else was asking at the time.
    const ids = given.flatMap((each) => (each?.run.registryName === runs.registry.name ? each.run.id : []));
    const waiting = await runs.shown(['ca1', 'ca2', 'ca3'].find((id) => !ids.includes(id)) ?? '');
    assert.match(waiting.queue?.reason ?? '', /has 2 runs in work/);
    const first = given.find((assignment) => assignment?.run.registryName === runs.registry.name);
    assert.ok(first !== undefined);
    await runs.report(agent, first, { end: ended });
    assert.equal((await runs.claim(agent, { name: 'f' }))?.run.registryName, runs.registry.name);
  });

  test('a claim that waits gets a run as soon as it is queued', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const began = performance.now();
    const waiting = runs.claim(agent, { waitSeconds: 40 });
    await runs.queue();
    assert.equal((await waiting)?.run.id, 'ca1');
    assert.ok(performance.now() - began < 20_000);
    const left = new AbortController();
    const leaving = runs.claim(agent, { waitSeconds: 40, signal: left.signal, holds: ['ca1'] });
    left.abort();
    assert.equal(await leaving, undefined);
  });

  test('a run that another process queued is found within a second or so', async (t) => {
    const runs = await openTestRuns(engine, t);
    const other = await runs.restarted();
    const waiting = runs.claim(await runs.addAgent(), { waitSeconds: 40 });
    await other.queue();
    assert.equal((await waiting)?.run.id, 'ca1');
  });

  test('runs that a restarted agent does not hold end with an error; those on their way to it do not', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    await runs.queue();
    const first = await runs.claim(agent);
    assert.ok(first !== undefined);
    await runs.report(agent, first, { log: [] });
    assert.equal(await runs.claim(agent, { holds: ['ca1'] }), undefined);
    assert.equal((await runs.shown('ca1')).status, 'Running');
    assert.equal(await runs.claim(agent, { name: 'another' }), undefined);
    assert.equal((await runs.shown('ca1')).status, 'Running', 'another agent of the same key has other runs');
    assert.equal(await runs.claim(agent), undefined);
    const run = await runs.shown('ca1');
    assert.deepEqual([run.status, run.error], ['Error', 'the agent one was restarted while it executed the run: queue it again']);
    await runs.queue();
    assert.ok((await runs.claim(agent)) !== undefined);
    assert.equal(await runs.claim(agent), undefined);
    assert.equal((await runs.shown('ca2')).status, 'Started', 'its answer may still be on its way');
    assert.deepEqual(
      runs.ended.map(({ id, status }) => [id, status]),
      [['ca1', 'Error']],
    );
  });

  test('a run whose agent went away before it was told waits again', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const left = new AbortController();
    left.abort();
    await runs.queue();
    assert.equal(await runs.claim(agent, { signal: left.signal }), undefined);
    assert.equal((await runs.shown('ca1')).status, 'Queued');
    assert.equal((await runs.claim(agent))?.run.id, 'ca1');
  });

  test('an agent gets all that it needs, and nobody else sees it', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const request = {
      work: { kind: 'build' as const, images: ['team/app:v1', `${runs.registry.loginServer}/other`, '{{.Values.x}}:1'] },
      source: { kind: 'git' as const, url: 'https://git.example/a.git', token: 'very secret' },
      values: [{ name: 'x', value: 'also secret', isSecret: true }],
      logins: [{ server: 'other.example', username: 'u', password: 'top secret' }],
      timeoutSeconds: 600,
    };
    await runs.queue({ runType: 'QuickBuild', cacheKey: 'task:a' }, request);
    const { rows } = await sql<{ sealed_request: Uint8Array }>`select sealed_request from runs`.execute(runs.database.read);
    assert.doesNotMatch(Buffer.from(rows[0]?.sealed_request ?? []).toString('latin1'), /secret/);
    const shown = JSON.stringify(await runs.shown('ca1'));
    assert.doesNotMatch(shown, /secret/);
    const assignment = await runs.claim(agent);
    assert.ok(assignment !== undefined);
    assert.deepEqual(assignment.work, request.work);
    assert.deepEqual(assignment.source, request.source);
    assert.deepEqual(assignment.values, request.values);
    assert.deepEqual(assignment.logins, [
      { server: runs.registry.loginServer, username: '$run', password: 'of ca1' },
      ...request.logins,
    ]);
    assert.deepEqual(
      [assignment.timeoutSeconds, assignment.cacheKey, assignment.isTrusted, assignment.run.triggeredBy],
      [600, 'task:a', true, 'Manual'],
    );
    assert.match(assignment.run.date, /^20231114-221320z$/);
    const push = ['push', 'pull', 'metadata_read'];
    assert.deepEqual(runs.credentials.get('ca1'), [
      ...['team/app', 'other', '*'].map((name) => ({ type: 'repository', name, actions: push })),
      { type: 'repository', name: '*', actions: ['pull', 'metadata_read'] },
    ]);
    await runs.report(agent, assignment, { end: ended });
    await runs.runs.stop();
    assert.equal(runs.credentials.size, 0, 'it ends with the run');
  });

  test('attack 33: a run of a fork pulls, and nothing else', async (t) => {
    const runs = await openTestRuns(engine, t);
    const agent = await runs.addAgent();
    const access = [{ type: 'repository' as const, name: '*', actions: ['push'] }];
    await runs.queue({ isTrusted: false, access });
    const assignment = await runs.claim(agent);
    assert.equal(assignment?.isTrusted, false);
    assert.deepEqual(runs.credentials.get('ca1'), [{ type: 'repository', name: '*', actions: ['pull'] }]);
    const secrets = await runs.ask('resolve-run-secrets', {
      params: { run: 'ca1' },
      headers: { 'berth-lease': assignment.lease },
      body: { secrets: [{ id: 'a', keyvault: 'https://berth/secrets/a' }] },
      principal: agent.principal,
    });
    assert.equal(secrets.error, 'DENIED');
  });

  test('what waits and what is held is found by an index, for an agent of one registry and for one of all', async (t) => {
    const runs = await openTestRuns(engine, t);
    if (engine.name !== 'sqlite') return;
    const planOf = async ({ sql: text, parameters }: CompiledQuery): Promise<string> => {
      const plan = await runs.database.read.executeQuery<{ detail: string }>({
        ...sql`select 1`.compile(runs.database.read),
        sql: `explain query plan ${text}`,
        parameters,
      });
      return plan.rows.map(({ detail }) => detail).join('\n');
    };
    assert.match(await planOf(heldRuns(runs.database.read).compile()), /INDEX runs_leased/);
    for (const registryId of [runs.registry.id, undefined]) {
      const wants = { keyId: 'a', registryId, agentPool: null, os: 'linux', architectures: ['amd64', '386'] };
      const details = await planOf(waitingFor(runs.database.read, wants, []).compile());
      assert.match(
        details,
        registryId === undefined ? /USING COVERING INDEX runs_queued|USING INDEX runs_queued/ : /INDEX runs_waiting/,
      );
    }
  });
});

const ended = { outcome: 'Succeeded' as const, message: null, images: [], dependencies: [], temporaryTags: [] };
