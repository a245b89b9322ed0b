import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createOutbound } from '../../platform/outbound/index.ts';
import { ListRefsError, listRefs } from './list-refs.ts';
import { startTestForge } from './test-forge.ts';

const signal = new AbortController().signal;

for (const protocol of [0, 2] as const) {
  test(`branches and tags are listed as git lists them, by protocol ${protocol}`, async (t) => {
    const outbound = createOutbound({ allow: ['127.0.0.1'] });
    t.after(() => outbound.close());
    const forge = await startTestForge(t);
    forge.protocol = protocol;
    const options = { url: forge.repository, token: undefined, signal };
    assert.deepEqual(await listRefs(outbound, options).then(({ refs }) => refs), [], 'an empty repository');
    const main = await forge.commit('main', { a: '1' });
    const topic = await forge.commit('topic/one', { b: '2' });
    await forge.git('tag', '-a', '-m', 'A version', 'v1', main);
    await forge.git('tag', 'light', topic);
    await forge.git('push', '-q', 'origin', 'v1', 'light', `${topic}:refs/pull/1/head`);
    const found = await listRefs(outbound, options);
    assert.equal(found.head, 'main');
    assert.deepEqual(
      found.refs.map(({ ref, commit }) => `${ref} ${commit}`).toSorted(),
      [`refs/heads/main ${main}`, `refs/heads/topic/one ${topic}`, `refs/tags/light ${topic}`, `refs/tags/v1 ${main}`],
      'an annotated tag is the commit that it names',
    );
    forge.token = 'secret';
    await assert.rejects(listRefs(outbound, options), /give the trigger a token/);
    assert.equal((await listRefs(outbound, { ...options, token: 'secret' })).refs.length, 4);
    await assert.rejects(listRefs(outbound, { ...options, url: `${forge.repository}x`, token: 'secret' }), /no such repository/);
  });
}

test('what is no git server is told so, and what is inside is not asked', async (t) => {
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  const strict = createOutbound({ allow: [] });
  const type = 'application/x-git-upload-pack-advertisement';
  const answers: readonly (readonly [body: string, type: string, problem: RegExp])[] = [
    ['<html>', 'text/html', /does not answer as a git server does/],
    ['zzzz', type, /does not answer as a git server does/],
    ['00ffshort', type, /in the middle of a line/],
  ];
  let at = 0;
  const server = createServer((_, response) => {
    const [body, contentType] = answers[at] ?? ['', ''];
    response.writeHead(200, { 'content-type': contentType }).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    outbound.close();
    strict.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme/app`;
  for (; at < answers.length; at += 1)
    await assert.rejects(listRefs(outbound, { url, token: undefined, signal }), answers[at]?.[2] ?? /never/);
  await assert.rejects(
    listRefs(strict, { url, token: 'secret', signal }),
    (error) => error instanceof ListRefsError && /outboundAllow/.test(error.message),
  );
});
