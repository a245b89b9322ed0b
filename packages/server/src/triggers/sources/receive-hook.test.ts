import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { RegistryError } from '../../errors/index.ts';
import { type Example, examples, head, older } from './forges/test-payloads.ts';
import { newSecret } from './hook-secret.ts';
import { openTestSources } from './test-sources.ts';

const dayMs = 86_400_000;

forEachEngine((engine) => {
  test('a push runs the task with its head commit, once, whoever tells of it', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({ branch: 'main' });
    const outcome = await sources.send(examples['github push']);
    assert.ok(outcome.isFired, outcome.reason);
    const [run] = sources.asked;
    assert.deepEqual(run?.overrides?.commit, { commit: head, ref: 'main' });
    assert.equal(run?.isTrusted, true);
    const { id, ...trigger } = { id: '', ...run?.trigger };
    assert.notEqual(id, '');
    assert.deepEqual(trigger, {
      kind: 'source',
      name: 'source',
      eventType: 'commit',
      commitId: head,
      repositoryUrl: 'https://git.example/acme/app',
      branchName: 'main',
      providerType: 'Github',
    });
    // Another forge tells of the same commit: a mirror.
    const again = await sources.send(examples['gitlab push']);
    assert.match(again.reason, /seen before/);
    assert.deepEqual(
      sources.decisions.map(({ isFired, run: queued }) => [isFired, queued]),
      [
        [true, outcome.run],
        [false, null],
      ],
    );
    assert.equal((await sources.runs.find(sources.registry.id, outcome.run ?? ''))?.task, 'app');
  });

  test('attack 36: forged, replayed and stale hooks are refused, and so is one for nobody, by the same words', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({ branch: 'main' });
    const push: Example = examples['github push'];
    const answers = [await sources.refusal(push, { secret: newSecret() }), await sources.refusal(push, { task: 'nobodys' })];
    await sources.send(push);
    answers.push(await sources.refusal(push));
    // The id is not signed: another one before the same body is a replay, too.
    answers.push(await sources.refusal({ ...push, headers: { ...push.headers, 'x-github-delivery': 'another' } }));
    const request: Example = examples['github pull request'];
    sources.clock.time += 8 * dayMs;
    answers.push(await sources.refusal(request));
    const signing = { standardAt: sources.clock.time, id: 'msg_1' };
    await sources.send(examples['gitlab push'], signing);
    answers.push(await sources.refusal(examples['gitlab push'], signing));
    answers.push(await sources.refusal(examples['generic push'], { ...signing, standardAt: sources.clock.time - 3_600_000 }));
    for (const error of answers) {
      assert.equal(error.error, 'UNAUTHORIZED');
      assert.equal(error.message, answers[0]?.message);
    }
    assert.equal(sources.asked.length, 1);
  });

  test('a hook of another repository is refused with its reason, which stands in the decisions', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({ repositoryUrl: 'https://git.example/acme/other' });
    const error = await sources.refusal(examples['gitea push']);
    assert.equal(error.error, 'REQUEST_INVALID');
    assert.match(error.message, /of https:\/\/git.example\/acme\/app.git, but the trigger watches another/);
    assert.match(sources.decisions[0]?.reason ?? '', /watches another repository/);
  });

  test('another repository gets another secret', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({});
    const first = await sources.secret();
    await sources.put({ branch: 'main' });
    assert.equal(await sources.secret(), first);
    await sources.put({ repositoryUrl: 'https://git.example/acme/other' });
    assert.notEqual(await sources.secret(), first);
  });

  test('attack 33: a pull request of a fork runs without trust, from where its forge keeps it', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({ branch: 'main' });
    const wanted = {
      'github fork': { commit: head, ref: 'pull/7/head' },
      'gitlab new commits': { commit: head, ref: 'merge-requests/5/head' },
    } as const;
    for (const [name, commit] of Object.entries(wanted)) {
      const outcome = await sources.send(examples[name as keyof typeof wanted]);
      assert.ok(outcome.isFired, outcome.reason);
      const run = sources.asked.at(-1);
      assert.equal(run?.isTrusted, false);
      assert.deepEqual(run?.overrides?.commit, commit);
    }
    await sources.put({ repositoryUrl: 'https://git.example/scm/acme/app.git', branch: 'main' });
    await sources.send(examples['bitbucket server fork']);
    const url = 'https://git.example/scm/~someone/app.git';
    assert.deepEqual(sources.asked.at(-1)?.overrides?.commit, { commit: head, ref: 'topic', url });
  });

  test('what the queue refuses for now may come again, and what it refuses for good is a decision', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({ branch: 'main' });
    sources.refuse = new RegistryError('TOOMANYREQUESTS', { message: 'the queue is full' });
    assert.equal((await sources.refusal(examples['github push'])).error, 'TOOMANYREQUESTS');
    sources.refuse = undefined;
    assert.ok((await sources.send(examples['github push'])).isFired, 'the forge sends it again');
    sources.refuse = new RegistryError('TASK_FILE_INVALID', { message: 'line 3: no such step' });
    const { headers } = examples['github push'];
    const next: Example = {
      ...examples['github push'],
      headers: { ...headers, 'x-github-delivery': 'another' },
      payload: { ...examples['github push'].payload, after: older },
    };
    const outcome = await sources.send(next);
    assert.ok(!outcome.isFired);
    assert.match(outcome.reason, /no run could be queued: line 3/);
  });

  test('of many that tell of one commit at the same time, one runs it', async (t) => {
    const sources = await openTestSources(engine, t);
    await sources.put({ branch: 'main' });
    await sources.secret();
    const hooks = (['github push', 'gitea push', 'gitlab push', 'generic push'] as const).map((name) =>
      sources.send(examples[name]),
    );
    const fired = (await Promise.all(hooks)).filter(({ isFired }) => isFired);
    assert.equal(fired.length, 1);
    assert.equal(sources.asked.length, 1);
  });
});
