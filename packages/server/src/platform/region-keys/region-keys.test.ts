import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignJWT, UnsecuredJWT } from 'jose';
import { type RegionKeys, openFromRegion, regionKeysOf, sealForRegions, signRegionToken, verifyRegionToken } from './index.ts';

const now = 1_800_000_000_000;
const minute = 60_000;
const skew = 10 * minute;
const texts = { old: 'the old key of the regions which is long enough', new: 'the new key of the regions which is long enough' };

function keysOf(text: string): RegionKeys {
  const keys = regionKeysOf(text);
  assert.ok(typeof keys !== 'string');
  return keys;
}

const oldKeys = keysOf(texts.old);
const newKeys = keysOf(texts.new);
const bothKeys = keysOf(`${texts.new}, ${texts.old}`);

function verify(token: string, { keys = oldKeys, to = 'west', at = now } = {}) {
  return verifyRegionToken(token, { to, keys, now: at, maxClockSkewMs: skew });
}

const sign = (from = 'east', to = 'west', at = now): Promise<string> => signRegionToken(oldKeys[0], { from, to, now: at });

test('a token of the shared key tells who asks', async () => {
  const answer = await verify(await sign());
  assert.equal(answer.problem, undefined);
  assert.ok(answer.problem === undefined && answer.region === 'east');
});

test('clocks may differ by what is set, either way, and no more', async () => {
  const token = await sign();
  for (const offset of [-skew, skew]) assert.equal((await verify(token, { at: now + offset })).problem, undefined, `${offset}`);
  assert.equal((await verify(token, { at: now - skew - 2 * minute })).problem, 'clock');
  assert.equal((await verify(token, { at: now + skew + 6 * minute })).problem, 'clock');
});

test('attack 19: a token of another key, of none, of another algorithm or for another region is refused', async () => {
  const facts = { from: 'east', to: 'west', now };
  assert.equal((await verify(await signRegionToken(newKeys[0], facts))).problem, 'key');
  const claims = new UnsecuredJWT({})
    .setIssuer('east')
    .setAudience('west')
    .setIssuedAt(now / 1000)
    .setExpirationTime(now / 1000 + 60);
  assert.equal((await verify(claims.encode())).problem, 'key');
  const longer = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS512' })
    .setIssuer('east')
    .setAudience('west')
    .setIssuedAt(now / 1000)
    .setExpirationTime(now / 1000 + 60)
    .sign(Buffer.concat([oldKeys[0].signing, oldKeys[0].signing]));
  assert.equal((await verify(longer)).problem, 'key');
  assert.equal((await verify(await sign('east', 'north'))).problem, 'region');
  for (const text of ['', 'a.b.c', 'x'.repeat(100_000), `${await sign()}x`]) assert.equal((await verify(text)).problem, 'key');
});

test('a token that says nothing of its maker, or is made to live for years, is refused', async () => {
  const made = (change: (token: SignJWT) => SignJWT): Promise<string> =>
    change(
      new SignJWT({})
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience('west')
        .setIssuedAt(now / 1000),
    ).sign(oldKeys[0].signing);
  assert.equal((await verify(await made((token) => token.setExpirationTime(now / 1000 + 60)))).problem, 'clock');
  assert.equal((await verify(await made((token) => token.setIssuer('east')))).problem, 'clock');
  const longLived = await made((token) => token.setIssuer('east').setExpirationTime(now / 1000 + 100_000_000));
  assert.equal((await verify(longLived)).problem, undefined);
  assert.equal((await verify(longLived, { at: now + skew + 6 * minute })).problem, 'clock');
});

test('a region with the name of this one, or with no name of a region, is none', async () => {
  for (const name of ['west', 'East', '', '$region', 'a b', 'x'.repeat(64)])
    assert.notEqual((await verify(await sign(name))).problem, undefined, name);
});

test('while keys are changed, both are taken; afterwards the old one is not', async () => {
  const old = await sign();
  assert.equal((await verify(old, { keys: bothKeys })).problem, undefined);
  assert.equal((await verify(old, { keys: newKeys })).problem, 'key');
});

test('keys that are too short or too many are named, and not shown', () => {
  for (const text of ['', 'short', `${texts.old},`, `${texts.old},short`, `${texts.old},${texts.new},${texts.old}x`]) {
    const problem = regionKeysOf(text);
    assert.ok(typeof problem === 'string', text);
    assert.doesNotMatch(problem, /short\b|the old key/);
  }
});

test('what is sealed opens with any key of the regions, and as nothing else', () => {
  const sealed = sealForRegions(bothKeys, 'settings of local', 'a text – with signs');
  for (const keys of [bothKeys, oldKeys, newKeys])
    assert.equal(openFromRegion(keys, 'settings of local', sealed), 'a text – with signs');
  assert.equal(openFromRegion(keysOf(`${texts.old}!`), 'settings of local', sealed), undefined);
  assert.equal(openFromRegion(bothKeys, 'settings of team', sealed), undefined);
  const bytes = Buffer.from(sealed, 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const opened = openFromRegion(oldKeys, 'settings of local', changed.toString('base64'));
    // The wrapped key of the other key may change: this one does not look at it.
    assert.ok(opened === undefined || opened === 'a text – with signs', String(at));
    assert.equal(openFromRegion(oldKeys, 'settings of local', bytes.subarray(0, at).toString('base64')), undefined);
  }
});
