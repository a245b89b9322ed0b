import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { image, index } from '../catalog/test-catalog.ts';
import type { PurgeRequest } from './purge.ts';
import { addTags } from '../catalog/test-transactions.ts';
import { openTestRetention, taken } from './test-retention.ts';
import { ageTags } from './test-transactions.ts';

forEachEngine((engine) => {
  test('tags that match a filter as a whole and are old enough go; their manifests stay', async (t) => {
    const retention = await openTestRetention(engine, t);
    const digest = await retention.pushImage('app', ['v1', 'v10', 'latest']);
    await retention.pushImage('app/sub', ['v1']);
    retention.days(31);
    await retention.pushImage('app', ['v2']);
    const answer = await retention.purge({ filters: ['app:v\\d'], ago: '30d' });
    assert.deepEqual(taken(answer), ['untag app:v1']);
    assert.deepEqual([answer.tagsRemoved, answer.manifestsRemoved, answer.cursor], [1, 0, undefined]);
    assert.match(answer.decisions[0]?.reason ?? '', /^matches a filter, last updated more than 30d ago$/);
    assert.deepEqual(await retention.tags('app'), ['latest', 'v10', 'v2']);
    assert.deepEqual(await retention.tags('app/sub'), ['v1']);
    assert.ok(await retention.has('app', digest));
    assert.deepEqual(taken(await retention.purge({ filters: ['.*:v1', 'app:la.*'], ago: '30d' })), [
      'untag app/sub:v1',
      'untag app:latest',
    ]);
  });

  test('the newest of those that would go are kept, in each repository, over all its filters', async (t) => {
    const retention = await openTestRetention(engine, t);
    for (const tag of ['v1', 'v2', 'w1', 'v3', 'w2']) {
      await retention.pushImage('app', [tag]);
      await retention.pushImage('web', [tag]);
      retention.days(1);
    }
    retention.days(10);
    await retention.pushImage('app', ['v9']);
    await retention.lock('app', { reference: 'v3' }, { deleteEnabled: false });
    const request = { filters: ['app:v.*', 'app:w.*', 'web:.*'], ago: '5d', keep: 2 };
    // In app v9 is too young to count, and v3 was changed by its lock.
    const expected = ['untag app:v1', 'untag app:v2', 'untag web:v1', 'untag web:v2', 'untag web:w1'];
    assert.deepEqual(taken(await retention.purge({ ...request, dryRun: true })), expected);
    assert.deepEqual(taken(await retention.purge(request)), expected);
    assert.deepEqual(taken(await retention.purge({ ...request, keep: 100 })), []);
  });

  test('a dry run says what the purge then does, and changes nothing', async (t) => {
    const retention = await openTestRetention(engine, t);
    const old = await retention.pushImage('app', ['v1', 'v2']);
    const shared = await retention.pushImage('app', ['v3', 'keep']);
    const dangling = await retention.pushImage('app', []);
    retention.days(31);
    const young = await retention.pushImage('app', ['v4']);
    const request = { filters: ['app:v.*'], ago: '30d', untagged: true };
    const expected = [`delete app@${dangling}`, `delete app@${old}`, 'untag app:v1', 'untag app:v2', 'untag app:v3'].toSorted();
    const dry = await retention.purge({ ...request, dryRun: true });
    assert.deepEqual(taken(dry), expected);
    assert.deepEqual(await retention.tags('app'), ['keep', 'v1', 'v2', 'v3', 'v4']);
    const wet = await retention.purge(request);
    assert.deepEqual(taken(wet), expected);
    assert.deepEqual({ ...wet, isDryRun: true, decisions: [] }, { ...dry, decisions: [] });
    assert.ok(wet.bytesRemoved > 2 * Buffer.byteLength('configlayer'));
    for (const digest of [shared, young]) assert.ok(await retention.has('app', digest));
    for (const digest of [old, dangling]) assert.ok(!(await retention.has('app', digest)));
    assert.deepEqual(taken(await retention.purge(request)), []);
  });

  test('the images of an index go with it, and stay while it stays', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { catalog } = retention;
    await catalog.pushBlob('app', 'config');
    const children = ['1', '2', '3'].map((number) => image('config', [], { annotations: { number } }));
    const [first = {}, second = {}, third = {}] = children;
    const digests = [];
    for (const child of children) digests.push(await catalog.push('app', child));
    const staying = await catalog.push('app', index([first, second]), 'keep');
    const going = await catalog.push('app', index([second, third]), 'v1');
    // Pushed again after their index, as a client does that does not look first.
    retention.days(1);
    for (const child of children) await catalog.push('app', child);
    retention.days(31);
    const request = { filters: ['app:v.*'], ago: '30d', untagged: true };
    const expected = [`delete app@${going}`, `delete app@${digests[2]}`, 'untag app:v1'].toSorted();
    assert.deepEqual(taken(await retention.purge({ ...request, dryRun: true })), expected);
    assert.deepEqual(taken(await retention.purge(request)), expected);
    for (const digest of [staying, digests[0], digests[1]]) assert.ok(await retention.has('app', digest ?? ''));
  });

  test('what refers to an image lives with it, as deep as it goes', async (t) => {
    const retention = await openTestRetention(engine, t);
    const goingImage = await retention.pushImage('app', ['v1']);
    const stayingImage = await retention.pushImage('app', ['keep']);
    const sbom = await retention.pushImage('app', [], { subject: goingImage });
    const signature = await retention.pushImage('app', [], { subject: sbom });
    const tagged = await retention.pushImage('app', ['sig'], { subject: goingImage });
    const staying = await retention.pushImage('app', [], { subject: stayingImage });
    const orphan = await retention.pushImage('app', [], { subject: `sha256:${'0'.repeat(64)}` });
    retention.days(31);
    const request = { filters: ['app:v.*'], ago: '30d', untagged: true };
    const expected = [goingImage, sbom, signature, orphan].map((digest) => `delete app@${digest}`);
    assert.deepEqual(taken(await retention.purge({ ...request, dryRun: true })), [...expected, 'untag app:v1'].toSorted());
    assert.deepEqual(taken(await retention.purge(request)), [...expected, 'untag app:v1'].toSorted());
    for (const digest of [stayingImage, staying, tagged]) assert.ok(await retention.has('app', digest));
  });

  test('attack 18: locked tags and manifests stay, and so does what a locked repository holds', async (t) => {
    const retention = await openTestRetention(engine, t);
    for (const repository of ['app', 'closed']) {
      await retention.pushImage(repository, ['v1']);
      await retention.pushImage(repository, ['v2']);
      await retention.pushImage(repository, []);
    }
    const dangling = await retention.pushImage('app', []);
    const behind = await retention.pushImage('app', ['v3']);
    await retention.lock('app', { reference: 'v1' }, { deleteEnabled: false });
    await retention.lock('app', { reference: 'v2' }, { writeEnabled: false });
    await retention.lock('app', { digest: dangling }, { deleteEnabled: false });
    await retention.lock('app', { digest: behind }, { writeEnabled: false });
    await retention.lock('closed', {}, { deleteEnabled: false });
    retention.days(31);
    const request = { filters: ['.*:.*'], ago: '30d', untagged: true };
    const answer = await retention.purge(request);
    assert.deepEqual([answer.tagsRemoved, answer.manifestsRemoved, answer.locked], [1, 1, 4]);
    assert.equal(
      (await retention.purge({ ...request, filters: ['app:v1'], dryRun: true })).locked,
      3,
      'only what the purge is about',
    );
    assert.deepEqual(await retention.tags('app'), ['v1', 'v2']);
    assert.ok((await retention.has('app', dangling)) && (await retention.has('app', behind)));
    assert.deepEqual(await retention.tags('closed'), ['v1', 'v2']);
    const forced = await retention.purge({ ...request, includeLocked: true });
    assert.deepEqual([forced.tagsRemoved, forced.manifestsRemoved, forced.locked], [2, 4, 0]);
    assert.ok(!(await retention.has('app', dangling)) && !(await retention.has('app', behind)));
    assert.deepEqual(await retention.tags('closed'), ['v1', 'v2'], "a repository's own lock holds");
  });

  test('untagged only: no tag goes, filters choose repositories, and the newest can be kept', async (t) => {
    const retention = await openTestRetention(engine, t);
    await retention.pushImage('app', ['v1']);
    const digests = [];
    for (let count = 0; count < 3; count += 1) {
      digests.push(await retention.pushImage('app', []));
      retention.days(1);
    }
    const other = await retention.pushImage('web', []);
    retention.days(1);
    assert.deepEqual(taken(await retention.purge({ untaggedOnly: true, filters: ['app:none'], keep: 2 })), [
      `delete app@${digests[0]}`,
    ]);
    assert.deepEqual(taken(await retention.purge({ untaggedOnly: true, ago: '3d' })), []);
    assert.deepEqual(
      taken(await retention.purge({ untaggedOnly: true })),
      [`delete app@${digests[1]}`, `delete app@${digests[2]}`, `delete web@${other}`].toSorted(),
    );
    assert.deepEqual(await retention.tags('app'), ['v1']);
  });

  test('a purge that says too little is refused', async (t) => {
    const retention = await openTestRetention(engine, t);
    const refused: readonly (readonly [PurgeRequest, RegExp])[] = [
      [{}, /needs a filter/],
      [{ filters: ['a:b'] }, /give ago/],
      [{ filters: ['a:b'], ago: 'old' }, /ago: "old" is no duration/],
      [{ filters: ['a:['], ago: '1d' }, /the pattern "\[" is no regular expression/],
      [{ filters: Array.from({ length: 51 }, () => 'a:b'), ago: '1d' }, /51 filters/],
      [{ untagged: true, untaggedOnly: true }, /exclude each other/],
      [{ untaggedOnly: true, cursor: 'nonsense' }, /the cursor is none/],
      [{ untaggedOnly: true, cursor: Buffer.from('[9e15,"a","tags"]').toString('base64url') }, /the cursor is none/],
    ];
    for (const [request, message] of refused) await assert.rejects(retention.purge(request), message);
  });

  test('20,000 tags go page by page over several answers, and none is passed over', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { database } = retention.context;
    const digest = await retention.pushImage('app', ['keep']);
    const names = Array.from({ length: 20_000 }, (_, at) => `t${String(at).padStart(5, '0')}`);
    await database.write(addTags, { digest, names });
    // Most at the same moment: the name parts them.
    await database.write(ageTags, { updatedAt: retention.catalog.clock.time - 1e9, step: 0 });
    let turns = 0;
    let isOver = false;
    const tick = (): void => {
      turns += 1;
      if (!isOver) setImmediate(tick);
    };
    tick();
    const request = { filters: ['app:t.*'], ago: '1d', dryRun: true };
    let answer = await retention.purge(request);
    isOver = true;
    assert.equal(answer.tagsRemoved, 10_000);
    assert.ok(turns >= 10_000 / 200, 'others had their turn after each page');
    assert.equal(answer.decisions.length, 1000);
    let total = answer.tagsRemoved;
    while (answer.cursor !== undefined) {
      answer = await retention.purge({ ...request, cursor: answer.cursor });
      total += answer.tagsRemoved;
    }
    assert.equal(total, 20_000);
  });
});
