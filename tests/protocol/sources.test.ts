import assert from 'node:assert/strict';
import { runs } from '@berth/api';
import { type Protocol, assertStatus, protocolTests } from './protocol-tests.ts';

async function upload({ client }: Protocol, authorization: string): Promise<number> {
  const { method, path } = runs.uploadSource;
  return (await client.request(method, path, { authorization, body: 'the bytes of an archive' })).status;
}

async function bearerFor({ client }: Protocol, scope: string, authorization = client.basic): Promise<string> {
  const answer = await client.request('GET', `/oauth2/token?${new URLSearchParams({ scope })}`, { authorization });
  assertStatus(answer, 200);
  return `Bearer ${(JSON.parse(answer.body.toString()) as { token: string }).token}`;
}

protocolTests(
  'sources of runs',
  (check) => {
    check('attack 14: whoever may pull everything may send the files of a build, and nobody else', async (protocol) => {
      assert.equal(await upload(protocol, protocol.client.basic), 201);
      assert.equal(await upload(protocol, await bearerFor(protocol, 'repository:*:pull')), 201);
      assert.equal(await upload(protocol, 'none'), 401);
      assert.equal(await upload(protocol, await bearerFor(protocol, 'repository:*:pull', 'none')), 401);
      for (const scope of ['repository:one:pull,push', 'repository:*:push', 'registry:catalog:*'])
        assert.equal(await upload(protocol, await bearerFor(protocol, scope)), 403, scope);
    });
  },
  { isOnce: true },
);
