import assert from 'node:assert/strict';
import { type KeyObject, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { refusal } from '../test-access.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { type TrustedIssuer, type VerifiedToken, verifyToken } from './verify-token.ts';

const now = 1_800_000_000;
const issuer = 'https://issuer.example';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keySet = {
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', use: 'sig' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec' },
    { ...ed.publicKey.export({ format: 'jwk' }), kid: 'ed' },
    { kty: 'oct', k: Buffer.from('a shared secret').toString('base64url'), kid: 'shared' },
    { ...stranger.publicKey.export({ format: 'jwk' }), kid: 'for-encryption', use: 'enc' },
  ],
};
const claims = { iss: issuer, aud: 'registry.example', sub: 'job', iat: now, exp: now + 300 };

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signed(header: object, payload: object = claims, key: KeyObject = rsa.privateKey): string {
  const text = `${encode(header)}.${encode(payload)}`;
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return `${text}.${sign(digest, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const right = signed({ alg: 'RS256', kid: 'rsa' });
/** Addresses that were asked for; nothing is ever fetched for an issuer with keys of its own. */
const asked: string[] = [];

function verify(
  token: string,
  trusted: readonly TrustedIssuer[] = [{ issuer, jwks: JSON.stringify(keySet) }],
): Promise<VerifiedToken> {
  const clock = { now: () => now * 1000 };
  const fetchJson = async (url: string): Promise<unknown> => {
    asked.push(url);
    return { keys: [{ ...stranger.publicKey.export({ format: 'jwk' }), kid: 'stranger' }] };
  };
  const findIssuer = async (name: string): Promise<TrustedIssuer | undefined> => trusted.find((each) => each.issuer === name);
  return verifyToken({ clock, keys: new IssuerKeys({ fetchJson, clock }), findIssuer }, token);
}

test('tokens of each kind of key are read', async () => {
  const tokens = [
    right,
    signed({ alg: 'ES256', kid: 'ec' }, claims, ec.privateKey),
    signed({ alg: 'EdDSA', kid: 'ed' }, claims, ed.privateKey),
  ];
  for (const token of tokens)
    assert.deepEqual(await verify(token), { issuer, claims, subject: 'job', expiresAt: (now + 300) * 1000 });
});

test('attack 19: no signature, and a signature with what is public', async () => {
  const publicKey = rsa.publicKey.export({ format: 'pem', type: 'spki' });
  const hmac = (header: object, key: string | Buffer): string => {
    const text = `${encode(header)}.${encode(claims)}`;
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  };
  const [header = '', payload = '', signature = ''] = right.split('.');
  const tokens = [
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'none', kid: 'rsa' })}.${payload}.${signature}`,
    `${encode({ alg: 'None', kid: 'rsa' })}.${payload}.AA`,
    `${encode({ kid: 'rsa' })}.${payload}.${signature}`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(4)}AAAA`,
    `${header}.${encode({ ...claims, sub: 'other' })}.${signature}`,
    hmac({ alg: 'HS256', kid: 'rsa' }, publicKey),
    hmac({ alg: 'HS256', kid: 'rsa' }, JSON.stringify(keySet.keys[0])),
    hmac({ alg: 'HS256', kid: 'shared' }, 'a shared secret'),
    hmac({ alg: 'HS256' }, ''),
    hmac({ alg: 'RS256', kid: 'rsa' }, publicKey),
  ];
  for (const token of tokens) await refusal(verify(token));
});

test('attack 19: a key that the token brings or points to has no effect', async () => {
  const own = stranger.publicKey.export({ format: 'jwk' });
  const headers = [
    { alg: 'RS256', jwk: own },
    { alg: 'RS256', kid: 'rsa', jwk: own },
    { alg: 'RS256', kid: 'stranger', jku: 'https://evil.example/keys' },
    { alg: 'RS256', kid: 'rsa', x5u: 'https://evil.example/chain', x5c: ['MIIB'] },
    { alg: 'RS256', kid: 'stranger' },
    { alg: 'RS256', kid: 'for-encryption' },
    { alg: 'RS256', kid: '../../rsa' },
    { alg: 'RS256', kid: 'rsa', crit: ['exp'], exp: 1 },
    { alg: 'RS256' },
  ];
  for (const header of headers) await refusal(verify(signed(header, claims, stranger.privateKey)));
  assert.deepEqual(asked, []);
  // What the token brings does no harm either where the signature is the issuer's.
  assert.equal((await verify(signed({ alg: 'RS256', kid: 'rsa', jwk: own, jku: 'https://evil.example' }))).subject, 'job');
});

test('attack 19: a claim that is missing, wrong, early, late or too generous', async () => {
  const reasons: readonly (readonly [object, RegExp])[] = [
    [{ iss: undefined }, /names no issuer/],
    [{ iss: `${issuer}/` }, /is not trusted here/],
    [{ iss: 'HTTPS://issuer.example' }, /is not trusted here/],
    [{ iss: [issuer] }, /names no issuer/],
    [{ aud: undefined }, /its claim aud/],
    [{ sub: undefined }, /its claim sub/],
    [{ sub: '' }, /names no subject/],
    [{ iat: undefined }, /its claim iat/],
    [{ exp: undefined }, /its claim exp/],
    [{ exp: `${now + 300}` }, /its claim exp/],
    [{ iat: now - 400, exp: now - 61 }, /has expired/],
    [{ iat: now + 61 }, /issued in the future/],
    [{ nbf: now + 61 }, /not valid yet/],
    [{ exp: now + 24 * 3600 + 1 }, /longer than 24 hours/],
    [{ iat: 0 }, /longer than 24 hours/],
    [{ exp: 1e300 }, /longer than 24 hours/],
  ];
  for (const [change, reason] of reasons) {
    const { message } = await refusal(verify(signed({ alg: 'RS256', kid: 'rsa' }, { ...claims, ...change })));
    assert.match(message, reason);
  }
});

test('clocks may differ by a minute', async () => {
  for (const change of [{ iat: now + 59 }, { nbf: now + 59 }, { iat: now - 100, exp: now - 59 }, { exp: now + 24 * 3600 }])
    await verify(signed({ alg: 'RS256', kid: 'rsa' }, { ...claims, ...change }));
});

test('what is no token is refused, however large', async () => {
  const large = signed({ alg: 'RS256', kid: 'rsa' }, { ...claims, fill: 'x'.repeat(17_000) });
  const deep = `${encode({ alg: 'RS256' })}.${Buffer.from('['.repeat(10_000)).toString('base64url')}.AA`;
  for (const text of [
    '',
    '.',
    '..',
    'a.b',
    'a.b.c',
    `${right}.d`,
    `${right}\n`,
    ` ${right}`,
    large,
    deep,
    `${encode({})}.${encode([])}.AA`,
    `e30.${Buffer.from('null').toString('base64url')}.AA`,
  ])
    await refusal(verify(text));
});
