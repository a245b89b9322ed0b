import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../errors/index.ts';
import { SignInThrottle, networkOf } from './throttle.ts';

function setUp(): { readonly clock: { time: number; now(): number }; readonly throttle: SignInThrottle } {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, throttle: new SignInThrottle(clock) };
}

/** Seconds to wait, or 0 when the guess was taken. */
function guess(throttle: SignInThrottle, network: string, username = 'local'): number {
  try {
    throttle.take(network, username);
    return 0;
  } catch (error) {
    assert.ok(error instanceof RegistryError && error.error === 'TOOMANYREQUESTS');
    return Number(error.headers['Retry-After']);
  }
}

test('attack 25: after ten guesses the next waits, for as long as Retry-After says and no longer', () => {
  const { clock, throttle } = setUp();
  for (let index = 0; index < 10; index += 1) assert.equal(guess(throttle, 'x'), 0);
  const seconds = guess(throttle, 'x');
  assert.equal(seconds, 6);
  clock.time += seconds * 1000 - 1;
  assert.equal(guess(throttle, 'x'), 1);
  clock.time += 1;
  assert.equal(guess(throttle, 'x'), 0);
  assert.ok(guess(throttle, 'x') > 0);
});

test('attack 25: neither another address nor another name is touched', () => {
  const { throttle } = setUp();
  while (guess(throttle, 'attacker') === 0);
  assert.equal(guess(throttle, 'owner'), 0);
  assert.equal(guess(throttle, 'attacker', 'somebody'), 0);
});

test('attack 25: many names from one address do not add up to many guesses', () => {
  const { throttle } = setUp();
  const taken = Array.from({ length: 200 }, (_, index) => guess(throttle, 'attacker', `user${index}`)).filter(
    (wait) => wait === 0,
  );
  assert.equal(taken.length, 30);
  assert.equal(guess(throttle, 'attacker', ''), 2);
});

test('a right password gives its guess back', () => {
  const { throttle } = setUp();
  for (let index = 0; index < 100; index += 1) throttle.take('x', 'local')();
  assert.equal(guess(throttle, 'x'), 0);
});

test('a clock that is put back neither punishes nor rewards', () => {
  const { clock, throttle } = setUp();
  while (guess(throttle, 'x') === 0);
  clock.time -= 3_600_000;
  assert.equal(guess(throttle, 'x'), 6);
  clock.time += 6_000;
  assert.equal(guess(throttle, 'x'), 0);
});

test('long names and strange characters do not make large or shared keys', () => {
  const { throttle } = setUp();
  const long = 'n'.repeat(100_000);
  while (guess(throttle, 'x', long) === 0);
  assert.equal(guess(throttle, 'x', 'n'), 0);
});

test('attack 47: an IPv6 client is its /64, an IPv4 client its address, however it is written', () => {
  const same = ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:0DB8:0001:0002:ffff::', '2001:db8:1:2:0:0:0:0'];
  assert.deepEqual([...new Set(same.map(networkOf))], ['2001:db8:1:2']);
  assert.notEqual(networkOf('2001:db8:1:3::1'), networkOf('2001:db8:1:2::1'));
  assert.equal(networkOf('::1'), '0:0:0:0');
  assert.equal(networkOf('1::'), '1:0:0:0');
  assert.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2'));
  assert.equal(networkOf('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(networkOf('10.0.0.1'), '10.0.0.1');
  assert.equal(networkOf('::'), '0:0:0:0');
});
