import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryClient, randomImage, startRegistry } from '@berth/testkit';
import { assertError, assertStatus, protocolTests } from './protocol-tests.ts';

const remaining = 'x-ms-ratelimit-remaining-calls-per-second';
const planLimits = { Premium: { identityDeletesPerMinute: 2, identityReadsPerMinute: 60_000, registryReferrersPerMinute: 1 } };

protocolTests(
  'limits on calls',
  (check) => {
    check('leave a client alone that stays within them, and tell it what it has left', async ({ client, newRepository }) => {
      const [repository, image] = [newRepository(), randomImage()];
      await client.pushImage(repository, image, 'v1');
      const answer = await client.request('GET', `/v2/${repository}/manifests/v1`);
      assertStatus(answer, 200);
      // The registry's 20,000 a minute are the smaller of the two, and few of them are used.
      const left = Number(answer.headers[remaining]);
      assert.ok(left > 330 && left < 20_000 / 60, String(answer.headers[remaining]));
    });

    check('attack 47: are per identity: whatever address it claims, by password and by token', async (protocol) => {
      const { client, newRepository } = protocol;
      const [repository, images] = [newRepository(), [randomImage(), randomImage(), randomImage()]];
      for (const image of images) await client.pushImage(repository, image);
      const answers = [];
      for (const [index, { manifest }] of images.entries()) {
        const how = { headers: { 'x-forwarded-for': `203.0.113.${index}` }, ...(index === 1 && { authorization: client.basic }) };
        answers.push(await client.request('DELETE', `/v2/${repository}/manifests/${manifest.digest}`, how));
      }
      const [first, second, third] = answers;
      assert.ok(first !== undefined && second !== undefined && third !== undefined);
      assertStatus(first, 202);
      assertStatus(second, 202);
      assertError(third, 429, 'TOOMANYREQUESTS');
      const seconds = Number(third.headers['retry-after']);
      assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 30, String(seconds));
      assert.equal(third.headers[remaining], '0');
      assert.match(String(third.headers['x-ms-correlation-request-id']), /^[0-9a-f-]{36}$/);
      // Other kinds of calls go on.
      assertStatus(await client.request('GET', `/v2/${repository}/tags/list`), 200);
    });

    check('count lists of referrers apart', async ({ client, newRepository }) => {
      const path = `/v2/${newRepository()}/referrers/sha256:${'0'.repeat(64)}`;
      assertStatus(await client.request('GET', path), 200);
      assertError(await client.request('GET', path), 429, 'TOOMANYREQUESTS');
    });

    check('do not touch the checks of health', async ({ client }) => {
      const { status, headers } = await client.request('GET', '/healthz', { authorization: 'none' });
      assert.deepEqual([status, headers[remaining]], [200, undefined]);
    });
  },
  { settings: { rateLimits: 'plan', planLimits: JSON.stringify(planLimits) } },
);

test('attack 47: all anonymous clients are one identity, with a token and without; both passwords are another', async (t) => {
  const registry = await startRegistry({
    settings: { rateLimits: 'plan', anonymousPull: 'true', planLimits: '{"Premium":{"identityReadsPerMinute":3}}' },
  });
  t.after(registry.stop);
  using client = new RegistryClient({ ...registry, scheme: 'basic' });
  const [repository, image] = ['limits/anonymous', randomImage()];
  await client.pushImage(repository, image, 'v1');
  const query = `service=${registry.host}&scope=repository:${repository}:pull`;
  const token = await client.request('GET', `/oauth2/token?${query}`, { authorization: 'none' });
  assertStatus(token, 200);
  const bearer = `Bearer ${(JSON.parse(token.body.toString()) as { access_token: string }).access_token}`;
  const renewed = await client.request('POST', '/berth/v1/passwords/password2');
  assertStatus(renewed, 200);
  const { value } = JSON.parse(renewed.body.toString()) as { value: string };
  const second = `Basic ${Buffer.from(`${registry.username}:${value}`).toString('base64')}`;
  const read = async (authorization: string, address: string): Promise<number> => {
    const headers = { 'x-forwarded-for': address };
    return (await client.request('GET', `/v2/${repository}/manifests/v1`, { authorization, headers })).status;
  };
  const anonymous = [await read('none', '192.0.2.1'), await read(bearer, '192.0.2.2'), await read('none', '192.0.2.3')];
  assert.deepEqual([...anonymous, await read('none', '192.0.2.4'), await read(bearer, '192.0.2.5')], [200, 200, 200, 429, 429]);
  const signedIn = [await read(client.basic, '192.0.2.1'), await read(second, '192.0.2.1'), await read(second, '192.0.2.1')];
  assert.deepEqual([...signedIn, await read(client.basic, '192.0.2.6')], [200, 200, 200, 429]);
});

test('requests for tokens have a limit of their own, which is that of the plan', async (t) => {
  const { url, stop } = await startRegistry({
    settings: { rateLimits: 'plan', defaultPlan: 'Basic', planLimits: '{"Basic":{"registryTokensPerMinute":2}}' },
  });
  t.after(stop);
  const ask = (): Promise<Response> => fetch(`${url}/oauth2/token?service=${new URL(url).host}`);
  const answers = [await ask(), await ask(), await ask()];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 429],
  );
  const body = (await answers[2]?.json()) as { errors: readonly { message: string }[] };
  assert.match(
    body.errors[0]?.message ?? '',
    /^too many requests for tokens: the plan Basic allows 2 a minute for each registry; try again in \d+ s$/,
  );
});

test('without the setting nothing is limited, whatever the plan says', async (t) => {
  const { url, stop } = await startRegistry({ settings: { planLimits: '{"Premium":{"registryTokensPerMinute":1}}' } });
  t.after(stop);
  for (let round = 0; round < 3; round += 1) {
    const { status, headers } = await fetch(`${url}/oauth2/token?service=${new URL(url).host}`);
    assert.deepEqual([status, headers.get(remaining)], [200, null]);
  }
});

test('limits that cannot be meant stop the start, by name', async () => {
  await assert.rejects(startRegistry({ settings: { planLimits: '{"Basic":{"webhoks":5}}' } }), {
    name: 'Refusal',
    message: 'planLimits.Basic names "webhoks", which is no limit',
  });
});
