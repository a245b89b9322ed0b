import assert from 'node:assert/strict';
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader, exportJWK } from 'jose';
import { RegistryError } from '../errors/index.ts';
import type { SigningKey } from '../platform/keys/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { SignedIn } from './signed-in.ts';
import { Jws } from './jws.ts';
import { type TokenContent, TokenSigner } from './token-signer.ts';
import { testRegistry } from '../tenancy/test-registry.ts';

const local: Registry = testRegistry({ loginServer: 'local.example' });
const other: Registry = { ...local, id: 2, name: 'other', loginServer: 'other.example' };
const owner: SignedIn = { username: 'local', generation: 1, slot: 'password', since: 5 };
const access = [{ type: 'repository', name: 'a', actions: ['pull'] }];
const content: TokenContent = { owner, grantType: 'access_token', access };

function signingKey(id: string, isCurrent = true): SigningKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    id,
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: JSON.stringify(pair.publicKey.export({ format: 'jwk' })),
    isCurrent,
  };
}

const key = signingKey('key1');
const clock = { time: 1_800_000_000_000, now: () => clock.time };
const signer = new TokenSigner(new Jws([key]), clock);
const privateKey = createPrivateKey({ key: key.privateKey, format: 'der', type: 'pkcs8' });
const nowSeconds = clock.time / 1000;

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const goodHeader = { alg: 'ES256', typ: 'JWT', kid: 'key1' };
const goodClaims: Readonly<Record<string, unknown>> = { ...decodeJwt(signer.issue(local, content).token) };

/** A token with a good signature of ours, whatever it says. */
function signed(header: object, claims: object): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function refuses(token: string, why?: RegExp, registry = local): void {
  assert.throws(
    () => signer.verify(token, registry, 'access_token'),
    (error) => error instanceof RegistryError && error.error === 'UNAUTHORIZED' && (why?.test(error.message) ?? true),
    token,
  );
}

test('a token has the claims of ACR, and other libraries verify it', () => {
  const { token, claims } = signer.issue(local, content);
  assert.deepEqual(signer.verify(token, local, 'access_token'), claims);
  assert.deepEqual(decodeProtectedHeader(token), goodHeader);
  const { jti, ...rest } = decodeJwt(token);
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, {
    sub: 'local',
    iss: 'Azure Container Registry',
    aud: 'local.example',
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + 75 * 60,
    version: '1.0',
    grant_type: 'access_token',
    roles: [],
    access,
    owner,
  });
});

test('an anonymous token has no owner', () => {
  const { token } = signer.issue(local, { owner: undefined, grantType: 'access_token', access: [] });
  assert.equal(signer.verify(token, local, 'access_token').owner, undefined);
});

test('attack 19: alg none, and a token signed with the public key as a secret, are refused', async () => {
  refuses(new UnsecuredJWT({ ...goodClaims }).encode());
  refuses(`${encode({ ...goodHeader, alg: 'none' })}.${encode(goodClaims)}.`);
  const jwk: unknown = JSON.parse(key.publicKey);
  for (const secret of [key.publicKey, JSON.stringify(jwk), Buffer.from(key.publicKey).toString('base64')]) {
    refuses(await new SignJWT({ ...goodClaims }).setProtectedHeader({ ...goodHeader, alg: 'HS256' }).sign(Buffer.from(secret)));
    const text = `${encode(goodHeader)}.${encode(goodClaims)}`;
    refuses(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`);
  }
});

test('attack 19: a key that the token brings along is not looked at', async () => {
  const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = await exportJWK(mine.publicKey);
  const offers = [
    { jwk },
    { jwk: { ...jwk, kid: 'key1' } },
    { jku: 'https://evil.example/keys' },
    { x5c: ['MIIB'] },
    { x5u: 'https://evil.example/x' },
  ];
  for (const offer of offers) {
    refuses(await new SignJWT({ ...goodClaims }).setProtectedHeader({ ...goodHeader, ...offer }).sign(mine.privateKey));
    refuses(signed({ ...goodHeader, ...offer }, goodClaims));
  }
  refuses(await new SignJWT({ ...goodClaims }).setProtectedHeader(goodHeader).sign(mine.privateKey));
});

test('attack 19: unknown, missing and odd key ids, types and extensions are refused, well signed or not', () => {
  for (const header of [
    { ...goodHeader, kid: 'key2' },
    { ...goodHeader, kid: '' },
    { ...goodHeader, kid: '../key1' },
    { ...goodHeader, kid: ['key1'] },
    { ...goodHeader, kid: 'constructor' },
    { alg: 'ES256', typ: 'JWT' },
    { alg: 'ES256', kid: 'key1' },
    { ...goodHeader, typ: 'at+jwt' },
    { ...goodHeader, alg: 'ES384' },
    { ...goodHeader, alg: 'es256' },
    { ...goodHeader, crit: ['exp'] },
    { ...goodHeader, crit: ['b64'], b64: false },
    { ...goodHeader, zip: 'DEF' },
    [],
  ])
    refuses(signed(header, goodClaims));
  // The same words in another order are not ours, either.
  refuses(signed({ typ: 'JWT', alg: 'ES256', kid: 'key1' }, goodClaims));
  assert.ok(signer.verify(signed(goodHeader, goodClaims), local, 'access_token'));
});

test('attack 19: missing or odd claims are refused', () => {
  for (const name of ['sub', 'iss', 'aud', 'iat', 'nbf', 'exp', 'version', 'grant_type']) {
    for (const value of [undefined, null, [], {}, true]) refuses(signed(goodHeader, { ...goodClaims, [name]: value }));
  }
  for (const name of ['iat', 'nbf', 'exp']) {
    for (const value of [String(nowSeconds), 1e300, nowSeconds + 0.5])
      refuses(signed(goodHeader, { ...goodClaims, [name]: value }));
  }
  refuses(signed(goodHeader, { ...goodClaims, aud: ['local.example'] }));
  refuses(signed(goodHeader, { ...goodClaims, iss: 'https://evil.example' }), /another registry/);
  for (const odd of [null, 'local', {}, { ...owner, slot: 'password3' }, { ...owner, since: '5' }, { ...owner, username: null }])
    refuses(signed(goodHeader, { ...goodClaims, owner: odd }));
  for (const odd of [null, 'all', {}, [null], ['repository:a:pull'], [{ type: 'repository', name: 'a' }]])
    refuses(signed(goodHeader, { ...goodClaims, access: odd }));
  refuses(signed(goodHeader, []));
  const text = `${encode(goodHeader)}.${Buffer.from('no json').toString('base64url')}`;
  refuses(`${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`);
});

test('attack 20: a token of one registry opens no other, and neither kind stands for the other', () => {
  const { token } = signer.issue(local, content);
  refuses(token, /another registry/, other);
  refuses(signer.issue(local, { owner, grantType: 'refresh_token' }).token, /kind access_token/);
  assert.throws(() => signer.verify(token, local, 'refresh_token'), /kind refresh_token/);
});

test('attack 19: time is ours to tell, within a minute', (t) => {
  const { token } = signer.issue(local, content);
  const began = clock.time;
  t.after(() => {
    clock.time = began;
  });
  clock.time = began - 59_000;
  assert.ok(signer.verify(token, local, 'access_token'), 'the clock of the process that made it may be ahead');
  clock.time = began - 61_000;
  refuses(token, /not valid yet/);
  clock.time = began + 75 * 60_000 - 1;
  assert.ok(signer.verify(token, local, 'access_token'));
  clock.time = began + 75 * 60_000;
  refuses(token, /expired/);
  clock.time = began;
  refuses(signed(goodHeader, { ...goodClaims, iat: nowSeconds + 3600 }), /not valid yet/);
  refuses(signed(goodHeader, { ...goodClaims, nbf: nowSeconds + 3600 }), /not valid yet/);
});

test('a token has one spelling', () => {
  const { token } = signer.issue(local, content);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const last = signature.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = alphabet[alphabet.indexOf(last) ^ 1] ?? '';
  for (const spelling of [
    `${token}=`,
    `${token}.`,
    ` ${token}`,
    `${token}\n`,
    `${header}.${payload}.${signature.slice(0, -1)}${twin}`,
    `${header}.${payload}!.${signature}`,
    `${header}.${payload}`,
    `${header}..${signature}`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature}.${signature}`,
    '',
    '..',
    'x'.repeat(100_000),
  ])
    refuses(spelling);
  const der = sign('sha256', Buffer.from(`${header}.${payload}`), privateKey).toString('base64url');
  refuses(`${header}.${payload}.${der}`);
});

test('tokens of a key that was replaced are good until they expire; new ones are signed by the new key', () => {
  const [old, fresh] = [signingKey('old', false), signingKey('new')];
  const { token } = new TokenSigner(new Jws([{ ...old, isCurrent: true }]), clock).issue(local, content);
  const both = new TokenSigner(new Jws([old, fresh]), clock);
  assert.ok(both.verify(token, local, 'access_token'));
  assert.equal(decodeProtectedHeader(both.issue(local, content).token).kid, 'new');
  assert.throws(() => new TokenSigner(new Jws([old]), clock), /no signing key/);
});
