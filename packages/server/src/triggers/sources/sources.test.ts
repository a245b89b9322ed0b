import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { examples } from './forges/test-payloads.ts';
import { pollDueSources } from './poll-sources.ts';
import { postStatuses } from './post-statuses.ts';
import { findSource } from './queries.ts';
import { reconcile } from './reconcile.ts';
import { startTestForge } from './test-forge.ts';
import { type TestSources, openTestSources } from './test-sources.ts';

const minuteMs = 60_000;

async function look(sources: TestSources, afterMs = 2 * minuteMs): Promise<void> {
  sources.clock.time += afterMs;
  await pollDueSources(sources.context);
}

function stateOf({ context, registry }: TestSources) {
  return findSource(context.database.read, { registryId: registry.id, task: 'app', name: 'source' });
}

forEachEngine((engine) => {
  test('a repository that is looked at runs what is new since the first look', async (t) => {
    const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
    await forge.commit('main', { a: '1' });
    await sources.put({ repositoryUrl: forge.repository }, { pollSeconds: 60, tags: ['v*'], token: 'secret' });
    forge.token = 'secret';
    await look(sources, 0);
    assert.equal(sources.asked.length, 0, 'what was there is no news');
    const second = await forge.commit('main', { a: '2' });
    await look(sources, 1000);
    assert.equal(sources.asked.length, 0, 'its time has not come');
    await look(sources);
    assert.deepEqual(sources.asked.at(-1)?.overrides?.commit, { commit: second, ref: 'main' });
    await look(sources);
    assert.equal(sources.asked.length, 1, 'once');
    await forge.commit('topic', { b: '1' });
    await forge.git('tag', 'w1', second);
    await forge.git('tag', '-a', '-m', 'words', 'v1', second);
    await forge.git('push', '-q', 'origin', 'w1', 'v1');
    await look(sources);
    assert.deepEqual(
      sources.asked.slice(1).map(({ overrides }) => overrides?.commit),
      [{ commit: second, ref: 'refs/tags/v1' }],
      'the default branch and tags that match',
    );
    // A hook had told of it before the look came.
    const third = await forge.commit('main', { a: '3' });
    const payload = { ...examples['generic push'].payload, commit: third, repository: forge.repository };
    assert.ok((await sources.send({ ...examples['generic push'], payload })).isFired);
    await look(sources);
    assert.equal(sources.asked.length, 3);
  });

  test('a look that fails is told once, and made ever more rarely', async (t) => {
    const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
    forge.token = 'secret';
    await sources.put({ repositoryUrl: forge.repository }, { pollSeconds: 60 });
    const pauses: number[] = [];
    for (let count = 0; count < 9; count += 1) {
      await look(sources, 70 * minuteMs);
      pauses.push(((await stateOf(sources))?.nextPollAt ?? 0) - sources.clock.time);
    }
    assert.match((await stateOf(sources))?.problem ?? '', /give the trigger a token/);
    assert.equal(sources.decisions.length, 1);
    assert.ok(
      (pauses[0] ?? 0) < 3 * minuteMs && (pauses.at(-1) ?? 0) > 50 * minuteMs && (pauses.at(-1) ?? 0) < 70 * minuteMs,
      pauses.join(),
    );
    forge.token = undefined;
    await look(sources, 70 * minuteMs);
    const mended = await stateOf(sources);
    assert.deepEqual([mended?.problem, mended?.failures], [null, 0]);
    await sources.put({ repositoryUrl: forge.repository });
    assert.equal((await stateOf(sources))?.nextPollAt, null, 'nobody asks for looks any more');
  });

  test('a commit that a hook names in short is looked up, and one that cannot be is not run', async (t) => {
    const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
    await sources.put({ repositoryUrl: forge.repository }, { token: 'secret' });
    forge.token = 'secret';
    const commit = await forge.commit('topic', { a: '1' });
    const page = { links: { html: { href: forge.repository } }, full_name: 'acme/app' };
    const hookOf = (hash: string, url: string) => {
      const { pullrequest } = examples['bitbucket fork'].payload;
      const repository = { full_name: 'someone/app', links: { html: { href: url } } };
      const request = { ...pullrequest, source: { branch: { name: 'topic' }, commit: { hash }, repository } };
      const headers = { ...examples['bitbucket fork'].headers, 'x-request-uuid': `${hash} ${url}` };
      return { ...examples['bitbucket fork'], headers, payload: { repository: page, pullrequest: request } };
    };
    const other = await sources.send(hookOf('d'.repeat(12), forge.repository));
    assert.match(other.reason, /at another commit already/);
    const elsewhere = await sources.send(hookOf(commit.slice(0, 12), 'https://evil.example/acme/app'));
    assert.match(elsewhere.reason, /from another host/);
    assert.ok((await sources.send(hookOf(commit.slice(0, 12), `${forge.repository}#`))).isFired);
    assert.equal(sources.asked.at(-1)?.overrides?.commit?.commit, commit);
    assert.equal(sources.asked.at(-1)?.isTrusted, false);
  });

  test('of two processes one looks', async (t) => {
    const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
    await forge.commit('main', { a: '1' });
    await sources.put({ repositoryUrl: forge.repository }, { pollSeconds: 60 });
    await look(sources, 0);
    await forge.commit('main', { a: '2' });
    sources.clock.time += 2 * minuteMs;
    await Promise.all([pollDueSources(sources.context), pollDueSources(sources.context), pollDueSources(sources.context)]);
    assert.equal(sources.asked.length, 1);
  });

  for (const [type, api, change] of [
    ['Github', '/api/v3/repos/acme/app', 'PATCH'],
    ['Gitlab', '/api/v4/projects/acme%2Fapp', 'PUT'],
    ['Gitea', '/api/v1/repos/acme/app', 'PATCH'],
  ] as const) {
    test(`${type} is told of the hook as the trigger changes`, async (t) => {
      const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
      const repository = { sourceControlType: type, repositoryUrl: forge.repository };
      await sources.put(repository, { token: 'secret' });
      assert.equal(forge.calls.length, 0, 'nobody knows how the world reaches the registry');
      sources.publicOrigin = 'https://r.example';
      await sources.put(repository, { token: 'secret' });
      assert.deepEqual(
        forge.calls.map(({ method }) => method),
        ['GET', 'POST'],
      );
      const made = forge.calls.at(-1);
      assert.equal(made?.path, `${api}/hooks`);
      assert.match(made?.authorization ?? '', /secret$/);
      const text = JSON.stringify(made?.body);
      assert.ok(text.includes('https://r.example/berth/v1/hooks/app/source') && text.includes(await sources.secret()));
      forge.calls.length = 0;
      await reconcile(sources.context);
      // The token is sealed anew by each writing; a hook is changed when anything of it is.
      await sources.put(repository, { token: 'secret', sourceTriggerEvents: ['commit'] });
      assert.deepEqual(
        forge.calls.map(({ method, path }) => `${method} ${path}`),
        [`${change} ${api}/hooks/101`],
      );
      forge.calls.length = 0;
      await sources.drop();
      assert.deepEqual(
        forge.calls.map(({ method, path }) => `${method} ${path}`),
        [`DELETE ${api}/hooks/101`],
      );
      assert.equal(await stateOf(sources), undefined);
    });
  }

  test('a forge that refuses the hook is told with what is missing, and asked again later', async (t) => {
    const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
    sources.publicOrigin = 'https://r.example';
    forge.answer = () => ({ status: 403, body: {} });
    await sources.put({ sourceControlType: 'Github', repositoryUrl: forge.repository }, { token: 'secret' });
    const problem = (await stateOf(sources))?.problem ?? '';
    assert.match(problem, /answers with 403, asked to list the hooks: .*admin:repo_hook/);
    assert.doesNotMatch(problem, /secret/);
    assert.match(sources.decisions[0]?.reason ?? '', /admin:repo_hook/);
    const before = forge.calls.length;
    await reconcile(sources.context);
    assert.equal(forge.calls.length, before, 'not at once');
    forge.answer = ({ method }) => (method === 'GET' ? { status: 200, body: [] } : { status: 201, body: { id: 5 } });
    sources.clock.time += 2 * minuteMs;
    await reconcile(sources.context);
    const mended = await stateOf(sources);
    assert.deepEqual([mended?.problem, mended?.state.hook?.id], [null, '5']);
  });

  test('the forge is told what becomes of a commit, and again when it did not listen', async (t) => {
    const [sources, forge] = [await openTestSources(engine, t), await startTestForge(t)];
    await sources.put({ sourceControlType: 'Github', repositoryUrl: forge.repository }, { token: 'secret', pollSeconds: 60 });
    sources.publicOrigin = 'https://r.example';
    await look(sources, 0);
    const commit = await forge.commit('main', { a: '1' });
    await look(sources);
    const run = sources.decisions.find(({ isFired }) => isFired)?.run ?? '';
    forge.answer = () => ({ status: 502, body: {} });
    await postStatuses(sources.context);
    forge.answer = () => ({ status: 201, body: {} });
    await postStatuses(sources.context);
    assert.equal(forge.calls.length, 1, 'not at once');
    sources.clock.time += minuteMs;
    await postStatuses(sources.context);
    await postStatuses(sources.context);
    assert.equal(forge.calls.length, 2, 'that it waits is told once');
    assert.deepEqual(forge.calls.at(-1), {
      method: 'POST',
      path: `/api/v3/repos/acme/app/statuses/${commit}`,
      authorization: 'Bearer secret',
      body: {
        state: 'pending',
        context: 'berth/app',
        description: `run ${run} is queued`,
        target_url: `https://r.example/berth/v1/runs/${run}`,
      },
    });
    await sources.runs.cancel(sources.registry.id, run);
    await postStatuses(sources.context);
    assert.match(JSON.stringify(forge.calls.at(-1)?.body), /"state":"error".*was canceled/);
    await postStatuses(sources.context);
    assert.equal(forge.calls.length, 3);
    assert.deepEqual((await stateOf(sources))?.state.statuses, []);
  });
});
