import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { generateSecret, secretProblem, signatureHeaders } from './signing.ts';

test('the example that libraries of the standard share', () => {
  const headers = signatureHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    now: 1_614_265_330_000,
    body: '{"test": 2432232314}',
  });
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('generated secrets are good and differ', () => {
  const [one, another] = [generateSecret(), generateSecret()];
  assert.notEqual(one, another);
  assert.equal(secretProblem(one), undefined);
  const body = '{"action":"push"}';
  const headers = signatureHeaders(one, { id: 'id', now: Date.now(), body });
  assert.deepEqual(new Webhook(one).verify(body, headers), { action: 'push' });
  assert.throws(() => new Webhook(another).verify(body, headers));
});

test('what is no secret', () => {
  for (const text of [
    '',
    'secret',
    'whsec_',
    'whsec_short',
    `whsec_${'A'.repeat(200)}`,
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Lа',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  ])
    assert.ok(secretProblem(text) !== undefined, text);
});
