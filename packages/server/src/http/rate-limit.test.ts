import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, distribution } from '@berth/api';
import fc from 'fast-check';
import { RegistryError } from '../errors/index.ts';
import type { Plan, Principal } from '../tenancy/index.ts';
import { testRegistry } from '../tenancy/test-registry.ts';
import { type CallRates, RateLimiter } from './rate-limit.ts';
import type { Route } from './route.ts';
import { operationOf, startTestServer } from './test-server.ts';

const registry = testRegistry({ plan: 'Basic' });
const remaining = 'x-ms-ratelimit-remaining-calls-per-second';

function ratesOf(more: { registry?: Partial<CallRates['registry']>; identity?: CallRates['identity'] } = {}): CallRates {
  const none = Number.POSITIVE_INFINITY;
  return {
    registry: { read: none, write: none, delete: none, referrers: none, token: none, ...more.registry },
    identity: more.identity ?? {},
  };
}

function principal(id: string): Principal {
  return { kind: 'token', id, name: id, permits: () => true, couldPermit: () => true };
}

function limiterOf(rates: CallRates | ((plan: Plan) => CallRates), maxBuckets?: number) {
  const clock = { ms: 1_800_000_000_000, now: () => clock.ms };
  const limiter = new RateLimiter({
    clock,
    ratesOf: typeof rates === 'function' ? rates : () => rates,
    ...(maxBuckets !== undefined && { maxBuckets }),
  });
  /** Seconds to wait, or how many calls are left. */
  const call = (operation: Operation = distribution.getManifest, id = 'token:a', of = registry): string => {
    try {
      return `${limiter.take(operation, of, principal(id))} left`;
    } catch (error) {
      assert.ok(error instanceof RegistryError && error.error === 'TOOMANYREQUESTS');
      return `wait ${error.headers['Retry-After']}`;
    }
  };
  return { clock, call };
}

test('attack 47: a bucket holds a minute of calls, refills continuously, and Retry-After is the truth to the second', () => {
  const { clock, call } = limiterOf(ratesOf({ identity: { read: 7 } }));
  for (let left = 6; left >= 0; left -= 1) assert.equal(call(), `${left} left`);
  // A seventh of a minute: 8571.4… ms.
  assert.equal(call(), 'wait 9');
  clock.ms += 7571;
  assert.equal(call(), 'wait 2');
  clock.ms += 1;
  assert.equal(call(), 'wait 1');
  clock.ms += 999;
  assert.equal(call(), 'wait 1', 'a millisecond too early');
  clock.ms += 1;
  assert.equal(call(), '0 left');
  clock.ms += 3_600_000;
  assert.equal(call(), '6 left', 'no more than a minute of calls is kept');
});

test('attack 47: whoever waits as long as Retry-After says is served, at any rate', () => {
  for (const rate of [1, 3, 59, 60, 61, 997, 5000, 20_000]) {
    const { clock, call } = limiterOf(ratesOf({ identity: { read: rate } }));
    for (let count = 0; count < rate; count += 1) call();
    for (let round = 0; round < 100; round += 1) {
      clock.ms += (round * 37) % 11;
      const answer = call();
      if (answer.endsWith('left')) continue;
      clock.ms += Number(/\d+/.exec(answer)?.[0]) * 1000;
      assert.match(call(), /left$/, `rate ${rate}, round ${round}`);
    }
  }
});

test('attack 47: identities have buckets of their own and share those of the registry; registries share nothing', () => {
  const { call } = limiterOf(ratesOf({ registry: { read: 3 }, identity: { read: 2 } }));
  assert.deepEqual([call(), call(), call()], ['1 left', '0 left', 'wait 30']);
  // What was refused took nothing from the registry's bucket either.
  assert.deepEqual([call(undefined, 'token:b'), call(undefined, 'token:b')], ['0 left', 'wait 20']);
  assert.equal(call(undefined, 'token:a', testRegistry({ id: 2 })), '1 left');
});

test('each kind of call has its bucket; a list of referrers is a read, too; what is no data plane is not counted', () => {
  const one = { read: 2, write: 1, delete: 1, referrers: 1, token: 1 };
  const { call } = limiterOf(ratesOf({ registry: one }));
  assert.equal(call(distribution.listReferrers), '0 left');
  assert.equal(call(distribution.listReferrers), 'wait 60');
  assert.equal(call(distribution.getManifest), '0 left', 'the refused list took no read');
  assert.equal(call(distribution.headManifest), 'wait 30');
  assert.equal(call(distribution.putManifest), '0 left');
  for (const write of [distribution.startUpload, distribution.sendChunk, distribution.finishUpload])
    assert.equal(call(write), 'wait 60');
  assert.equal(call(distribution.deleteManifest), '0 left');
  assert.equal(call(operationOf('DELETE', '/acr/v1/{name}')), 'wait 60');
  assert.equal(call(operationOf('POST', '/oauth2/token')), '0 left');
  assert.equal(call(operationOf('GET', '/oauth2/token')), 'wait 60');
  for (const path of ['/healthz', '/berth/v1/scrubs', '/subscriptions/{id}'])
    assert.equal(call(operationOf('GET', path)), 'undefined left');
});

test('attack 47: what the limiter forgets is a full bucket, never an empty one', () => {
  const { call } = limiterOf(ratesOf({ identity: { read: 1 } }), 2);
  assert.deepEqual([call(undefined, 'a'), call(undefined, 'a')], ['0 left', 'wait 60']);
  assert.deepEqual([call(undefined, 'b'), call(undefined, 'c')], ['0 left', '0 left']);
  assert.equal(call(undefined, 'a'), '0 left');
});

test('a clock that is put back neither punishes nor rewards', () => {
  const { clock, call } = limiterOf(ratesOf({ identity: { read: 2 } }));
  assert.deepEqual([call(), call(), call()], ['1 left', '0 left', 'wait 30']);
  clock.ms -= 86_400_000;
  assert.equal(call(), 'wait 30');
  clock.ms += 30_000;
  assert.equal(call(), '0 left');
});

test('attack 47: over any time no more calls pass than a full bucket and its refill, and who is refused was told the truth', () => {
  const steps = fc.array(
    fc.record({
      calls: fc.integer({ min: 1, max: 12 }),
      passesMs: fc.oneof(fc.nat(400), fc.nat(90_000), fc.integer({ min: -5000, max: -1 })),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), (taken, rate) => {
      const { clock, call } = limiterOf(ratesOf({ identity: { read: rate } }));
      let [served, passedMs] = [0, 0];
      // Nobody has been told to wait yet.
      let readyMs = Number.POSITIVE_INFINITY;
      for (const { calls, passesMs } of taken) {
        for (let count = 0; count < calls; count += 1) {
          const answer = call();
          if (answer.endsWith('left')) {
            served += 1;
            readyMs = Number.POSITIVE_INFINITY;
          } else {
            assert.ok(passedMs < readyMs, `was told to come back at ${readyMs}, and did at ${passedMs}`);
            readyMs = passedMs + Number(answer.slice('wait '.length)) * 1000;
            assert.ok(readyMs > passedMs && readyMs - passedMs <= Math.ceil(60 / rate) * 1000);
          }
        }
        assert.ok(served <= rate + (rate * passedMs) / 60_000, `${served} served in ${passedMs} ms`);
        clock.ms += passesMs;
        passedMs += Math.max(0, passesMs);
      }
    }),
  );
});

test('a change of plan counts from the next call on', () => {
  const rates = { Basic: 2, Standard: 2, Premium: 4 };
  const { clock, call } = limiterOf((plan) => ratesOf({ identity: { read: rates[plan] } }));
  const premium = { ...registry, plan: 'Premium' } as const;
  assert.equal(call(undefined, 'a', premium), '3 left');
  assert.equal(call(undefined, 'a', registry), '1 left', 'a smaller plan keeps no more than its own minute');
  clock.ms += 60_000;
  assert.equal(call(undefined, 'a', premium), '3 left');
});

const anybody: Route = { operation: operationOf('GET', '/oauth2/token'), handle: async () => ({ status: 200 }) };
const read: Route = {
  operation: operationOf('GET', '/v2/x', { permission: { kind: 'authenticated' } }),
  handle: async () => ({ status: 200 }),
};
const removal: Route = {
  operation: operationOf('DELETE', '/v2/x', { permission: { kind: 'catalog' } }),
  handle: async () => ({ status: 202 }),
};

test('attack 47: over HTTP the answer is 429 in the envelope, with the truth in its headers, whatever address a client claims', async (t) => {
  const clock = { ms: 1_800_000_000_000, now: () => clock.ms };
  const rateLimiter = new RateLimiter({ clock, ratesOf: () => ratesOf({ identity: { read: 100 }, registry: { token: 1 } }) });
  const { url, records } = await startTestServer(t, [read, anybody, removal], { rateLimiter });
  const get = (number: number): Promise<Response> =>
    fetch(`${url}/v2/x`, {
      headers: { authorization: 'Bearer good', 'x-forwarded-for': `203.0.113.${number}`, 'x-real-ip': `203.0.113.${number}` },
    });
  const first = await get(0);
  assert.deepEqual([first.status, first.headers.get(remaining)], [200, '1.65'], '99 calls a minute are left');
  for (let number = 1; number < 100; number += 1) assert.equal((await get(number)).status, 200);
  const refused = await get(200);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(refused.headers.get(remaining), '0');
  assert.equal(refused.headers.get('x-ms-correlation-request-id'), records.at(-1)?.requestId);
  const body = (await refused.json()) as { errors: { code: string; message: string }[] };
  assert.equal(body.errors[0]?.code, 'TOOMANYREQUESTS');
  assert.equal(body.errors[0]?.message, 'too many reads: the plan Premium allows 100 a minute for each client; try again in 1 s');
  clock.ms += 600;
  assert.equal((await get(201)).status, 200);
  assert.deepEqual([(await fetch(`${url}/oauth2/token`)).status, (await fetch(`${url}/oauth2/token`)).status], [200, 429]);
});

test('attack 47: challenges and wrong credentials take nothing: strangers cannot use up what anonymous clients have', async (t) => {
  const clock = { now: () => 1_800_000_000_000 };
  const rateLimiter = new RateLimiter({ clock, ratesOf: () => ratesOf({ registry: { read: 1 } }) });
  const { url } = await startTestServer(t, [read], { rateLimiter });
  for (let round = 0; round < 5; round += 1) {
    const challenge = await fetch(`${url}/v2/x`);
    assert.deepEqual([challenge.status, challenge.headers.get(remaining)], [401, null]);
    assert.equal((await fetch(`${url}/v2/x`, { headers: { authorization: 'Bearer bad' } })).status, 401);
  }
  assert.equal((await fetch(`${url}/v2/x`, { headers: { authorization: 'Bearer good' } })).status, 200);
});

test('a denied call counts: asking again does not help', async (t) => {
  const clock = { now: () => 1_800_000_000_000 };
  const rateLimiter = new RateLimiter({ clock, ratesOf: () => ratesOf({ registry: { delete: 1 } }) });
  const stranger = { ...principal('token:a'), permits: () => false };
  const { url } = await startTestServer(t, [removal], { rateLimiter, authenticate: () => stranger });
  const ask = async (): Promise<number> =>
    (await fetch(`${url}/v2/x`, { method: 'DELETE', headers: { authorization: 'Basic good' } })).status;
  assert.deepEqual([await ask(), await ask()], [403, 429]);
});

test('without a limiter no answer speaks of limits', async (t) => {
  const { url } = await startTestServer(t, [read]);
  const { status, headers } = await fetch(`${url}/v2/x`, { headers: { authorization: 'Bearer good' } });
  assert.deepEqual([status, headers.get(remaining)], [200, null]);
});

test('429 and 403 come in the envelope of the plane that was asked, each with its correlation id', async (t) => {
  const scope = '/subscriptions/{subscription}/resourceGroups/{group}';
  const route = (path: string, error: 'TOOMANYREQUESTS' | 'DENIED'): Route => ({
    operation: operationOf('GET', path, {
      permission: path.startsWith('/v2') ? { kind: 'authenticated' } : { kind: 'resource', action: 'x/read' },
    }),
    handle: () => Promise.reject(new RegistryError(error, { headers: error === 'DENIED' ? {} : { 'Retry-After': '7' } })),
  });
  const { url } = await startTestServer(t, [
    route('/v2/many', 'TOOMANYREQUESTS'),
    route('/v2/denied', 'DENIED'),
    route(`${scope}/many`, 'TOOMANYREQUESTS'),
    route(`${scope}/denied`, 'DENIED'),
  ]);
  const arm = '/subscriptions/1/resourceGroups/g';
  const expected = [
    ['/v2/many', 429, 'TOOMANYREQUESTS', '7'],
    ['/v2/denied', 403, 'DENIED', null],
    [`${arm}/many`, 429, 'TooManyRequests', '7'],
    [`${arm}/denied`, 403, 'AuthorizationFailed', null],
  ] as const;
  for (const [path, status, code, retryAfter] of expected) {
    const answer = await fetch(url + path, { headers: { authorization: 'Bearer good' } });
    const body = (await answer.json()) as { error?: { code: string }; errors?: { code: string }[] };
    assert.deepEqual([answer.status, (path.startsWith(arm) ? body.error : body.errors?.[0])?.code], [status, code], path);
    assert.equal(answer.headers.get('retry-after'), retryAfter);
    assert.match(answer.headers.get('x-ms-correlation-request-id') ?? '', /^[0-9a-f-]{36}$/);
  }
});
