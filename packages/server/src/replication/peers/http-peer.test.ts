import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { failure, json, key, now, peerAt, refusalOf, serveRegion, signal } from './test-peer.ts';

const facts = { region: 'west', now, version: '1', feedVersion: 1, registries: [], removed: [], refused: [], tokenKeys: [] };
const stamp = { clock: now * 1024, origin: 'west' };
const digest = `sha256:${'a'.repeat(64)}`;
const push = {
  sequence: 1,
  action: 'push',
  isVisible: true,
  fact: { kind: 'manifest', repository: 'a/b', name: digest, set: stamp },
};
const page = { changes: [push], next: '1.2', behind: 0, now };
const from = { after: '', limit: 10, waitSeconds: 0 };
const endless: RequestListener = (_, response) => {
  const more = (): void => void response.write(Buffer.alloc(65_536, 'x'), (error) => (error ? undefined : setImmediate(more)));
  more();
};

test('a region is asked with its own token, over one connection', async (t) => {
  const west = await serveRegion(t, json(facts));
  const peer = peerAt(t, west.url);
  for (let count = 0; count < 3; count += 1) assert.equal((await peer.facts(signal)).region, 'west');
  assert.equal(west.connections(), 1);
  assert.match(Buffer.from(west.seen[0]?.authorization.slice(6) ?? '', 'base64').toString(), /^\$region:ey/);
  assert.ok(peer.isUp);
});

test('changes come as they were told, and what this region did itself is not asked for', async (t) => {
  const west = await serveRegion(t, json(page));
  assert.deepEqual(await peerAt(t, west.url).changes('local', { after: '3.4', limit: 7, waitSeconds: 2 }, signal), page);
  const url = new URL(west.seen[0]?.url ?? '', west.url);
  assert.equal(url.pathname, '/berth/v1/regions/registries/local/changes');
  assert.deepEqual(Object.fromEntries(url.searchParams), { after: '3.4', limit: '7', waitSeconds: '2', except: 'east' });
});

test('nobody there: the address is down until somebody answers', async (t) => {
  let isDown = true;
  const west = await serveRegion(t, (request, response) => {
    if (isDown) request.socket.destroy();
    else json(facts)(request, response);
  });
  const peer = peerAt(t, west.url);
  await failure(peer.facts(signal), 'unreachable');
  assert.equal(peer.isUp, false);
  isDown = false;
  await peer.facts(signal);
  assert.equal(peer.isUp, true);
  await failure(peerAt(t, 'http://127.0.0.1:1').facts(signal), 'unreachable');
});

test('statuses mean what the contract says', async (t) => {
  const cases = [
    [refusalOf('UNAUTHORIZED', 401, { reason: 'key' }), 'unauthenticated'],
    [refusalOf('UNAUTHORIZED', 401, { reason: 'region' }), 'unauthenticated'],
    [refusalOf('UNAUTHORIZED', 401, { reason: 'clock' }), 'clock'],
    [refusalOf('NOT_FOUND', 404), 'not-here'],
    [refusalOf('UNSUPPORTED', 410), 'cursor-unknown'],
    [refusalOf('DENIED', 409), 'too-old'],
    [refusalOf('UNAVAILABLE', 503), 'failed'],
    [refusalOf('UNKNOWN', 500), 'failed'],
    [json('<html>', 404), 'failed'],
    [json('<html>', 410), 'failed'],
    [json(null, 401), 'failed'],
    [(_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'failed'],
  ] as const satisfies readonly (readonly [RequestListener, string])[];
  for (const [answer, kind] of cases) {
    const west = await serveRegion(t, answer);
    const peer = peerAt(t, west.url);
    await failure(peer.changes('local', from, signal), kind);
    assert.equal(west.seen.length, 1, 'no redirect is followed');
    assert.equal(peer.isUp, kind !== 'unauthenticated' && kind !== 'clock');
  }
});

test('what is not there is undefined, and not an error', async (t) => {
  for (const code of ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'TAG_UNKNOWN', 'BLOB_UNKNOWN']) {
    const peer = peerAt(t, (await serveRegion(t, refusalOf(code, 404))).url);
    assert.equal(await peer.resolve('local', { repository: 'a', reference: 'b' }, signal), undefined);
    assert.equal(await peer.blob('local', { repository: 'a', digest }, signal), undefined);
  }
});

test('a region of another version, or of another name, is not followed', async (t) => {
  await failure(peerAt(t, (await serveRegion(t, json({ ...facts, feedVersion: 2 }))).url).facts(signal), 'version');
  await failure(peerAt(t, (await serveRegion(t, refusalOf('NOT_FOUND', 404))).url).facts(signal), 'version');
  await failure(peerAt(t, (await serveRegion(t, json({ ...facts, region: 'north' }))).url).facts(signal), 'damaged');
});

test('attack 39: a clock that is off by more than is allowed is not believed', async (t) => {
  for (const offset of [-61_000, 61_000]) {
    const west = await serveRegion(t, (request, response) =>
      json(request.url?.includes('changes') === true ? { ...page, now: now + offset } : { ...facts, now: now + offset })(
        request,
        response,
      ),
    );
    const { message } = await failure(peerAt(t, west.url).facts(signal), 'clock');
    assert.match(message, /61 s/);
    await failure(peerAt(t, west.url).changes('local', from, signal), 'clock');
  }
  const ahead = { ...push, fact: { ...push.fact, set: { ...stamp, clock: (now + 90_000) * 1024 } } };
  const west = await serveRegion(t, json({ ...page, changes: [push, ahead] }));
  await failure(peerAt(t, west.url).changes('local', from, signal), 'clock');
});

test('answers that are no facts are damaged', async (t) => {
  const fact = (changes: object) => ({ ...page, changes: [{ ...push, fact: { ...push.fact, ...changes } }] });
  const bad = [
    {},
    [],
    null,
    { ...page, next: 5 },
    { ...page, changes: {} },
    { ...page, changes: [null] },
    { ...page, changes: [{ ...push, action: 'explode' }] },
    { ...page, changes: [{ ...push, sequence: -1 }] },
    fact({ kind: 'planet' }),
    fact({ repository: '../../etc' }),
    fact({ name: 'latest' }),
    fact({ kind: 'tag', name: '-x' }),
    fact({ kind: 'tag', name: 'x' }),
    fact({ set: { clock: 1.5, origin: 'west' } }),
    fact({ set: { clock: 1, origin: 'We st' } }),
    fact({ set: { ...stamp, digest } }),
    fact({ attributes: { colour: { ...stamp, value: 1 } } }),
    fact({ attributes: { read_enabled: { ...stamp, value: {} } } }),
    fact({ content: { mediaType: 'x'.repeat(300), sizeBytes: 1 } }),
    fact({ request: { id: 'x' } }),
  ];
  for (const value of bad) {
    const west = await serveRegion(t, json(value));
    await failure(peerAt(t, west.url).changes('local', from, signal), 'damaged');
  }
  for (const text of ['<html>', '{"changes":[', '']) {
    const west = await serveRegion(t, (_, response) => void response.end(text));
    await failure(peerAt(t, west.url).changes('local', from, signal), 'damaged');
  }
});

test('attack 29: endless and huge answers, and headers without end, are given up', async (t) => {
  await failure(peerAt(t, (await serveRegion(t, endless)).url).status('local', signal), 'damaged');
  const huge = await serveRegion(t, (_, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).flushHeaders());
  await failure(peerAt(t, huge.url).facts(signal), 'damaged');
  const long = await serveRegion(t, (_, response) => response.setHeader('x-long', 'x'.repeat(40_000)).end());
  await failure(peerAt(t, long.url).facts(signal), 'unreachable');
});

test('a region that is silent, stops in the middle or breaks off is unreachable', async (t) => {
  const limits = { answerMs: 50, idleMs: 50 };
  const silent = await serveRegion(t, () => undefined);
  await failure(peerAt(t, silent.url, { limits }).facts(signal), 'unreachable');
  const halting = await serveRegion(t, (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('{'));
  await failure(peerAt(t, halting.url, { limits }).facts(signal), 'unreachable');
  const breaking = await serveRegion(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{', () => response.destroy());
  });
  await failure(peerAt(t, breaking.url, { limits }).facts(signal), 'unreachable');
});

test('a long poll may take as long as it was asked to', async (t) => {
  const west = await serveRegion(t, (request, response) => {
    const timer = setTimeout(() => json(page)(request, response), 120);
    response.on('close', () => clearTimeout(timer));
  });
  const peer = peerAt(t, west.url, { limits: { answerMs: 60 } });
  await failure(peer.changes('local', from, signal), 'unreachable');
  assert.deepEqual(await peer.changes('local', { ...from, waitSeconds: 1 }, signal), page);
});

test('whoever asks can stop waiting, which says nothing of the region', async (t) => {
  const west = await serveRegion(t, () => undefined);
  const peer = peerAt(t, west.url);
  const abort = new AbortController();
  const asking = peer.changes('local', { ...from, waitSeconds: 30 }, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(asking, /enough/);
  await assert.rejects(peer.facts(abort.signal), /enough/);
  assert.ok(peer.isUp);
});

test('while keys are changed, the region is asked with the one that it knows', async (t) => {
  const other = 'another key of the regions just made';
  let taken = 'none';
  const west = await serveRegion(t, (request, response) => {
    const isTaken = request.headers.authorization === taken;
    if (isTaken) json(facts)(request, response);
    else refusalOf('UNAUTHORIZED', 401, { reason: 'key' })(request, response);
  });
  const peer = peerAt(t, west.url, { peerKey: `${other},${key}` });
  await failure(peer.facts(signal), 'unauthenticated');
  assert.equal(west.seen.length, 2);
  assert.notEqual(west.seen[0]?.authorization, west.seen[1]?.authorization);
  // The second is known from now on: it is found, and kept.
  taken = west.seen[1]?.authorization ?? '';
  await peer.facts(signal);
  const before = west.seen.length;
  await peer.facts(signal);
  assert.equal(west.seen.length, before + 1);
});

test('sealed settings that no key opens are damaged', async (t) => {
  const west = await serveRegion(t, json({ version: '1', sealed: Buffer.alloc(300, 1).toString('base64') }));
  await failure(peerAt(t, west.url).settings('local', signal), 'damaged');
});
