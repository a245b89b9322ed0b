import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from '../test-access.ts';
import { IssuerKeys } from './issuer-keys.ts';

const issuer = 'https://issuer.example/tenant';
const discoveryUrl = `${issuer}/.well-known/openid-configuration`;

/** An issuer whose answers a test changes. */
function setUp(): {
  readonly clock: { time: number; now(): number };
  readonly answers: Map<string, unknown>;
  readonly asked: string[];
  readonly keys: IssuerKeys;
  rotateTo(kid: string): void;
} {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const asked: string[] = [];
  const answers = new Map<string, unknown>([[discoveryUrl, { issuer, jwks_uri: 'https://issuer.example/keys' }]]);
  const rotateTo = (kid: string): void => void answers.set('https://issuer.example/keys', { keys: [{ kty: 'OKP', kid }] });
  rotateTo('first');
  const fetchJson = async (url: string): Promise<unknown> => {
    asked.push(url);
    if (!answers.has(url)) throw new Error('nobody answers');
    return answers.get(url);
  };
  return { clock, answers, asked, keys: new IssuerKeys({ fetchJson, clock }), rotateTo };
}

const kidOf = ({ keys: [key] }: { readonly keys: readonly { readonly kid?: string }[] }): string | undefined => key?.kid;

test('keys are fetched once for many, and again after five minutes', async () => {
  const { clock, asked, keys, rotateTo } = setUp();
  const all = await Promise.all(Array.from({ length: 20 }, () => keys.keysOf(issuer)));
  assert.equal(new Set(all).size, 1);
  assert.deepEqual(asked, [discoveryUrl, 'https://issuer.example/keys']);
  rotateTo('second');
  clock.time += 5 * 60_000 - 1;
  assert.equal(kidOf(await keys.keysOf(issuer)), 'first');
  clock.time += 1;
  assert.equal(kidOf(await keys.keysOf(issuer)), 'second');
  assert.equal(asked.length, 4);
});

test('an unknown key is looked for at most twice a minute, however many tokens name one', async () => {
  const { clock, asked, keys, rotateTo } = setUp();
  await keys.keysOf(issuer);
  rotateTo('second');
  assert.equal(await keys.newKeysOf(issuer), undefined);
  clock.time += 30_000;
  const all = await Promise.all(Array.from({ length: 20 }, () => keys.newKeysOf(issuer)));
  assert.deepEqual(
    all.map((set) => set && kidOf(set)),
    Array.from({ length: 20 }, () => 'second'),
  );
  assert.equal(await keys.newKeysOf(issuer), undefined);
  assert.equal(asked.length, 4);
});

test('keys last a day while the issuer is down, and it is not asked all the time', async () => {
  const { clock, answers, asked, keys } = setUp();
  await keys.keysOf(issuer);
  answers.clear();
  clock.time += 10 * 60_000;
  for (let each = 0; each < 5; each += 1) assert.equal(kidOf(await keys.keysOf(issuer)), 'first');
  assert.equal(asked.length, 3);
  clock.time += 23 * 3_600_000;
  assert.equal(kidOf(await keys.keysOf(issuer)), 'first');
  clock.time += 3_600_000;
  const { message } = await refusal(keys.keysOf(issuer), 'UNAVAILABLE');
  assert.match(message, /^the keys of the issuer https:\/\/issuer\.example\/tenant could not be fetched/);
  assert.ok(!message.includes('nobody answers'));
});

test('an issuer that has never answered is asked again after some seconds', async () => {
  const { clock, answers, asked, keys } = setUp();
  const about = answers.get(discoveryUrl);
  answers.delete(discoveryUrl);
  for (let each = 0; each < 3; each += 1) await refusal(keys.keysOf(issuer), 'UNAVAILABLE');
  assert.equal(asked.length, 1);
  answers.set(discoveryUrl, about);
  clock.time += 5000;
  assert.equal(kidOf(await keys.keysOf(issuer)), 'first');
});

test('attack 29: a discovery document for another issuer, or with keys from an unsafe address, counts for nothing', async () => {
  const documents = [
    { issuer: `${issuer}/`, jwks_uri: 'https://issuer.example/keys' },
    { issuer: 'https://issuer.example', jwks_uri: 'https://issuer.example/keys' },
    { jwks_uri: 'https://issuer.example/keys' },
    { issuer, jwks_uri: 'http://issuer.example/keys' },
    { issuer, jwks_uri: 'file:///etc/passwd' },
    { issuer, jwks_uri: 'https://user:password@issuer.example/keys' },
    { issuer, jwks_uri: ['https://issuer.example/keys'] },
    { issuer },
    '<html>',
    null,
  ];
  for (const document of documents) {
    const { answers, asked, keys } = setUp();
    answers.set(discoveryUrl, document);
    await refusal(keys.keysOf(issuer), 'UNAVAILABLE');
    assert.deepEqual(asked, [discoveryUrl]);
  }
});

test('attack 29: a key set without a key that checks signatures, or with very many, counts for nothing', async () => {
  const many = Array.from({ length: 101 }, (_, index) => ({ kty: 'OKP', kid: String(index) }));
  for (const set of [null, {}, { keys: [] }, { keys: [null, 1, {}] }, { keys: [{ kty: 'oct', k: 'AA' }] }, { keys: many }]) {
    const { answers, keys } = setUp();
    answers.set('https://issuer.example/keys', set);
    await refusal(keys.keysOf(issuer), 'UNAVAILABLE');
  }
});
