import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { type RandomImage, RegistryClient, contentOf, forEachEngine, randomImage, startRegistry } from '@berth/testkit';
import { type TestTriggers, baseImageTrigger, openTestTriggers } from '../test-triggers.ts';

const trigger = { baseImageTrigger };
const intervalMs = 900_000;

interface Other {
  readonly host: string;
  push(): Promise<string>;
  /** An index around an image that is there, which differs from other such indexes by what it says of itself. */
  pushIndexOf(digest: string, said: string): Promise<string>;
  readonly login: { readonly userName: object; readonly password: object };
}

/** Another registry, in this process and reached by HTTP. */
async function startOther(t: TestContext): Promise<Other> {
  const registry = await startRegistry();
  t.after(() => registry.stop());
  const client = new RegistryClient(registry);
  t.after(() => client[Symbol.dispose]());
  const opaque = (value: string): object => ({ value, type: 'Opaque' });
  return {
    host: registry.host,
    push: async () => {
      const image: RandomImage = randomImage({ layers: 1, layerBytes: 64 });
      await client.pushImage('team/base', image, 'v1');
      return image.manifest.digest;
    },
    pushIndexOf: async (digest, said) => {
      const { body } = await client.request('GET', `/v2/team/base/manifests/${digest}`);
      const manifests = [{ mediaType: mediaTypes.ociManifest, digest, size: body.length }];
      const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations: { said } };
      const content = contentOf(mediaTypes.ociIndex, Buffer.from(JSON.stringify(index)));
      await client.pushManifest('team/base', content, 'v1');
      return content.digest;
    },
    login: { userName: opaque(registry.username), password: opaque(registry.password) },
  };
}

async function dependOn(triggers: TestTriggers, task: string, base: { server: string; digest: string }, more: object = {}) {
  await triggers.put(task, trigger, more);
  await triggers.finish(await triggers.run(task), [{ repository: 'team/base', tag: 'v1', ...base }]);
}

forEachEngine((engine) => {
  test('a base image of another registry is looked at now and again, with the credentials of the task', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    const other = await startOther(t);
    const used = await other.push();
    const credentials = { customRegistries: { [other.host]: other.login } };
    await dependOn(triggers, 'polling', { server: other.host, digest: used }, { credentials });
    const [row] = await triggers.images('polling');
    const first = (row?.next_check_at ?? 0) - clock.time;
    assert.ok(first >= 0 && first <= intervalMs, `${first} ms`);
    clock.time += intervalMs;
    await triggers.poll();
    await triggers.follow();
    const [looked] = await triggers.images('polling');
    assert.deepEqual([looked?.current_digest, looked?.problem, looked?.checked_at], [used, null, clock.time]);
    const next = (looked?.next_check_at ?? 0) - clock.time;
    assert.ok(next >= intervalMs * 0.8 && next <= intervalMs * 1.2, `${next} ms`);
    assert.equal((await triggers.runs('polling')).length, 1);
    const moved = await other.push();
    clock.time += 2 * intervalMs;
    await triggers.poll();
    await triggers.follow();
    const [run] = await triggers.runs('polling');
    assert.deepEqual(run?.trigger?.kind === 'baseImage' && run.trigger.images, [
      { registry: other.host, repository: 'team/base', tag: 'v1', digest: moved },
    ]);
    // It is not public, and the other task has no credentials.
    await dependOn(triggers, 'stranger', { server: other.host, digest: used });
    clock.time += intervalMs;
    await triggers.poll();
    const [denied] = await triggers.images('stranger');
    assert.equal(denied?.current_digest, null);
    assert.match(denied?.problem ?? '', /does not let team\/base be read/);
    assert.match((await triggers.reasons('stranger'))[0] ?? '', /team\/base:v1 could not be looked at: .* does not let/);
  });

  test('an index around the same images needs no run there, either; another image in it does', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    const other = await startOther(t);
    const image = await other.push();
    const credentials = { customRegistries: { [other.host]: other.login } };
    const used = await other.pushIndexOf(image, 'built on Monday');
    await dependOn(triggers, 'attested', { server: other.host, digest: used }, { credentials });
    const lookAgain = async (): Promise<number> => {
      clock.time += 2 * intervalMs;
      await triggers.poll();
      await triggers.follow();
      return (await triggers.runs('attested')).length;
    };
    const again = await other.pushIndexOf(image, 'built on Tuesday');
    assert.equal(await lookAgain(), 1);
    assert.equal((await triggers.images('attested'))[0]?.current_digest, again);
    assert.match((await triggers.reasons('attested'))[0] ?? '', /its images are what the last successful run used/);
    await other.pushIndexOf(await other.push(), 'built on Wednesday');
    assert.equal(await lookAgain(), 2);
  });

  test('who is busy is asked later and ever later, and what failed for all is asked for once', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    const digest = `sha256:${'b'.repeat(64)}`;
    const asked: (string | undefined)[] = [];
    let answer: { readonly status: number; readonly headers: Record<string, string> } = {
      status: 429,
      headers: { 'retry-after': '7200' },
    };
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.headers['if-none-match']}`);
      response.writeHead(answer.status, answer.headers).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => void server.once('listening', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await dependOn(triggers, 'busy-one', { server: host, digest });
    clock.time += intervalMs;
    await triggers.poll();
    const [busy] = await triggers.images('busy-one');
    assert.match(busy?.problem ?? '', /gets too many requests/);
    assert.ok((busy?.next_check_at ?? 0) >= clock.time + 7_200_000, 'not before it asks for');
    answer = { status: 500, headers: {} };
    const pauses: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      clock.time = (await triggers.images('busy-one'))[0]?.next_check_at ?? 0;
      await triggers.poll();
      pauses.push(((await triggers.images('busy-one'))[0]?.next_check_at ?? 0) - clock.time);
    }
    assert.ok((pauses[0] ?? 0) > 2 * intervalMs && pauses.at(-1) === 86_400_000, String(pauses));
    assert.equal((await triggers.reasons('busy-one')).length, 2, 'the same problem is said once');
    assert.ok(
      asked.every((each) => each === `HEAD "${digest}"`),
      String(asked),
    );
    // Unchanged: and who asks after it soon again is told what is known.
    answer = { status: 304, headers: {} };
    await dependOn(triggers, 'busy-two', { server: host, digest });
    asked.length = 0;
    clock.time += 2 * 86_400_000;
    await triggers.poll();
    assert.equal(asked.length, 1);
    for (const task of ['busy-one', 'busy-two']) {
      const [row] = await triggers.images(task);
      assert.deepEqual([row?.current_digest, row?.failures, row?.problem], [digest, 0, null]);
    }
  });

  test('attack 28: no look goes where this server must not go', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    await dependOn(triggers, 'inward', { server: '169.254.169.254', digest: `sha256:${'c'.repeat(64)}` });
    triggers.clock.time += intervalMs;
    await triggers.poll();
    const [row] = await triggers.images('inward');
    assert.match(row?.problem ?? '', /169\.254\.169\.254/);
    assert.equal(row?.current_digest, null);
  });

  test('another registry of this deployment tells of pushes, to those who may pull there', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const opaque = (value: string): object => ({ value, type: 'Opaque' });
    const neighbour = await triggers.neighbour();
    const used = await triggers.push('team/base', { tag: 'v1', registryId: neighbour.id });
    await triggers.follow();
    const credentials = {
      customRegistries: { [neighbour.loginServer]: { userName: opaque('reader'), password: opaque('pass') } },
    };
    triggers.readers.add('pass');
    await dependOn(triggers, 'next-door', { server: neighbour.loginServer, digest: used }, { credentials });
    await dependOn(triggers, 'outsider', { server: neighbour.loginServer, digest: used });
    await triggers.poll();
    await triggers.push('team/base', { tag: 'v1', registryId: neighbour.id });
    await triggers.follow();
    assert.equal((await triggers.runs('next-door')).length, 1, 'it has to be looked up first');
    await triggers.poll();
    await triggers.follow();
    assert.equal((await triggers.runs('next-door')).length, 2);
    assert.equal((await triggers.images('next-door'))[0]?.next_check_at, null, 'and is not polled');
    const [outsider] = await triggers.images('outsider');
    assert.deepEqual([outsider?.current_digest, (await triggers.runs('outsider')).length], [null, 1]);
    assert.match(outsider?.problem ?? '', /denied/);
  });
});
