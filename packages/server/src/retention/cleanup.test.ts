import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { bytesOf, image, index } from '../catalog/test-catalog.ts';
import { addTags } from '../catalog/test-transactions.ts';
import { CleanupRuns } from './cleanup-runs.ts';
import { listRules, removeRule, setRule, showRule } from './manage-rules.ts';
import { preview } from './preview.ts';
import type { RuleDefinition } from './rules.ts';
import type { SweepAnswer } from './sweep-request.ts';
import { type TestRetention, dayMs, openTestRetention, taken } from './test-retention.ts';

async function set(
  { context, catalog }: TestRetention,
  name: string,
  definition: RuleDefinition,
  isEnabled = true,
): Promise<string> {
  return setRule(context, catalog.registry.id, { name, definition, isEnabled });
}

function previewOf({ context, catalog }: TestRetention, t: TestContext, rule?: RuleDefinition): Promise<SweepAnswer> {
  return preview(context, rule === undefined ? {} : { rule }, { registryId: catalog.registry.id, signal: t.signal });
}

async function run({ context, catalog }: TestRetention, t: TestContext) {
  const runs = new CleanupRuns(context, t.signal);
  await runs.start(catalog.registry);
  return runs.state(catalog.registry.id);
}

forEachEngine((engine) => {
  test('rules are kept as they were written, replaced and deleted, each registry having its own', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { context, catalog } = retention;
    const { id } = catalog.registry;
    const old: RuleDefinition = { repositories: 'app/*', keepLast: 5, keepNewerThan: '30d' };
    assert.equal(await set(retention, 'old', old), 'created');
    assert.equal(await set(retention, 'dangling', { repositories: '*', untaggedOlderThan: '1d12h' }, false), 'created');
    assert.equal(await set(retention, 'old', { ...old, keepLast: 6 }), 'replaced');
    const updatedAt = catalog.clock.time;
    const expected = [
      { name: 'dangling', definition: { repositories: '*', untaggedOlderThan: '1d12h' }, isEnabled: false, updatedAt },
      { name: 'old', definition: { ...old, keepLast: 6 }, isEnabled: true, updatedAt },
    ];
    assert.deepEqual(await listRules(context, id), expected);
    assert.deepEqual(await showRule(context, id, 'old'), expected[1]);
    const other = await catalog.otherRegistry();
    assert.deepEqual(await listRules(context, other.registry.id), []);
    await assert.rejects(showRule(context, other.registry.id, 'old'), /there is no cleanup rule "old"/);
    await assert.rejects(removeRule(context, other.registry.id, 'old'), /there is no cleanup rule "old"/);
    await removeRule(context, id, 'old');
    assert.deepEqual(await listRules(context, id), [expected[0]]);
    for (const name of ['None', '', 'a\0b']) await assert.rejects(showRule(context, id, name), /there is no cleanup rule/);
    await assert.rejects(set(retention, 'nothing', { repositories: '*' }), /does not say what stays/);
  });

  test('a registry takes a hundred rules and no more', async (t) => {
    const retention = await openTestRetention(engine, t);
    const rule: RuleDefinition = { repositories: '*', keepLast: 1 };
    const results = await Promise.allSettled(Array.from({ length: 103 }, (_, at) => set(retention, `r${at}`, rule)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 100);
    await assert.rejects(set(retention, 'one-more', rule), /has 100 cleanup rules at the most/);
  });

  test('enabled rules together decide, a preview tells, and a run does it', async (t) => {
    const retention = await openTestRetention(engine, t);
    for (const tag of ['v1', 'v2', 'v3', 'pr-1']) {
      await retention.pushImage('app/web', [tag]);
      retention.days(1);
    }
    await retention.pushImage('other', ['v1']);
    retention.days(40);
    await retention.pushImage('app/web', ['pr-2']);
    await set(retention, 'old', { repositories: 'app/*', keepNewerThan: '30d' });
    await set(retention, 'releases', { repositories: '*', tags: 'v*', keepLast: 2 });
    await set(retention, 'everything', { repositories: '*', keepLast: 0 }, false);
    const expected = ['untag app/web:pr-1', 'untag app/web:v1'];
    const previewed = await previewOf(retention, t);
    assert.deepEqual(taken(previewed), expected);
    assert.deepEqual(
      previewed.decisions.map(({ reason }) => reason),
      ['older than 30d, matches app/*:* (rule old)', 'older than 30d, matches app/*:* (rule old)'],
    );
    assert.deepEqual(taken(await previewOf(retention, t, { repositories: '*', keepLast: 1, tags: 'v*' })), [
      'untag app/web:v1',
      'untag app/web:v2',
    ]);
    assert.equal((await retention.tags('app/web')).length, 5);
    const state = await run(retention, t);
    assert.deepEqual([state.state, state.tagsRemoved, state.manifestsRemoved, state.failed], ['finished', 2, 0, 0]);
    assert.deepEqual(await retention.tags('app/web'), ['pr-2', 'v2', 'v3']);
    assert.deepEqual(await retention.tags('other'), ['v1']);
    assert.deepEqual(taken(await previewOf(retention, t)), []);
  });

  test('what was pulled lately stays, and so does what nobody knows of', async (t) => {
    const pulls = new Map<string, number>();
    const retention = await openTestRetention(engine, t, { lastPulls: async () => pulls });
    const untagged = [];
    for (const tag of ['v1', 'v2', 'v3']) {
      await retention.pushImage('app', [tag]);
      untagged.push(await retention.pushImage('app', []));
    }
    retention.days(100);
    const now = retention.catalog.clock.time;
    const [first = '', second = ''] = untagged;
    for (const name of ['v1', first]) pulls.set(name, now - 5 * dayMs);
    for (const name of ['v2', second]) pulls.set(name, now - 50 * dayMs);
    const rule = { repositories: '*', tags: '*', keepPulledWithin: '30d', untaggedOlderThan: '1d' };
    assert.deepEqual(taken(await previewOf(retention, t, rule)), [`delete app@${second}`, 'untag app:v2']);
  });

  test('untagged manifests go by their time, as those do that a rule has untagged', async (t) => {
    const retention = await openTestRetention(engine, t);
    const [first, second] = [await retention.pushImage('app', ['v1']), await retention.pushImage('app', ['v2'])];
    const never = await retention.pushImage('app', []);
    await set(retention, 'old', { repositories: '*', keepLast: 1 });
    await set(retention, 'dangling', { repositories: '*', untaggedOlderThan: '7d' });
    retention.days(30);
    const { tagsRemoved, manifestsRemoved } = await run(retention, t);
    assert.deepEqual([tagsRemoved, manifestsRemoved], [1, 1]);
    const kept = (await retention.tags('app'))[0] === 'v1' ? first : second;
    const left = kept === first ? second : first;
    assert.deepEqual(await Promise.all([never, left, kept].map((digest) => retention.has('app', digest))), [false, true, true]);
    retention.days(6);
    assert.equal((await run(retention, t)).manifestsRemoved, 0);
    retention.days(1);
    assert.equal((await run(retention, t)).manifestsRemoved, 1);
    assert.deepEqual(await Promise.all([left, kept].map((digest) => retention.has('app', digest))), [false, true]);
  });

  test('pushes during a run win: what was tagged or pushed again stays', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { catalog } = retention;
    const contents = Array.from({ length: 60 }, (_, at) => `content ${at}`);
    const digests = [];
    for (const content of contents) digests.push(await retention.pushImage('app', [], { content }));
    await catalog.database.write(addTags, { digest: digests[0] ?? '', names: contents.map((_, at) => `t${at}`) });
    retention.days(30);
    await set(retention, 'all', { repositories: '*', keepNewerThan: '7d', untaggedOlderThan: '7d' });
    // Each push moves a tag that the run is about to take to a manifest that it is about to take.
    const running = run(retention, t);
    const pushes = contents.flatMap((content, at) =>
      at % 2 === 0 ? [retention.pushImage('app', [`t${at}`], { content }).catch(() => undefined)] : [],
    );
    const pushed = await Promise.all(pushes);
    await running;
    for (const [at, digest] of pushed.entries()) {
      assert.ok(digest !== undefined, `push ${at} failed`);
      assert.ok(await retention.has('app', `t${2 * at}`), `the tag t${2 * at} that was just pushed is there`);
    }
    assert.deepEqual(catalog.logged, []);
  });

  test('an index that is pushed during a purge of its images has them all, or is refused', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { catalog } = retention;
    await catalog.pushBlob('app', 'config');
    for (let round = 0; round < 40; round += 1) {
      const children = [0, 1, 2].map((number) => image('config', [], { annotations: { at: `${round} ${number}` } }));
      const digests = [];
      for (const child of children) digests.push(await catalog.push('app', child));
      retention.days(1);
      const body = bytesOf(index(children));
      const [pushed] = await Promise.all([
        catalog.ask('put-manifest', { name: 'app', reference: `v${round}`, body }),
        retention.purge({ untaggedOnly: true }),
      ]);
      if (pushed.status === 201) for (const digest of digests) assert.ok(await retention.has('app', digest), `round ${round}`);
      else assert.equal(pushed.error, 'MANIFEST_BLOB_UNKNOWN');
    }
    assert.deepEqual(catalog.logged, []);
  });

  test('a run that goes on is not begun twice, and a stop ends it', async (t) => {
    const retention = await openTestRetention(engine, t);
    await retention.pushImage('app', ['v1']);
    await set(retention, 'all', { repositories: '*', keepLast: 0 });
    const stopping = new AbortController();
    const runs = new CleanupRuns(retention.context, stopping.signal);
    const { registry } = retention.catalog;
    assert.equal(runs.state(registry.id).state, 'never');
    const started = runs.start(registry);
    assert.equal(runs.state(registry.id).state, 'running');
    assert.equal(runs.start(registry), started);
    stopping.abort();
    await runs.settled();
    assert.equal(runs.state(registry.id).state, 'stopped');
    assert.deepEqual(await retention.tags('app'), ['v1']);
  });
});
