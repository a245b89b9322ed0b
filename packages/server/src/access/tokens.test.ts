import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import type { Need } from '@berth/api';
import { decodeJwt } from 'jose';
import { basic, bearer, refusal, setUpAccess } from './test-access.ts';
import { disableAdmin } from './test-transactions.ts';

const need = (name: string, action: 'pull' | 'push' | 'delete' = 'pull'): Need => ({ type: 'repository', name, action });
const catalog = { type: 'registry', name: 'catalog', action: '*' } as const;

forEachEngine((engine) => {
  test('a token carries what was asked, and nothing else', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const login = basic('local', announced[0]?.password ?? '');
    const tokens = await server.getToken(
      login,
      'service=x&scope=repository:a:pull,push&scope=repository:b:pull registry:catalog:*',
    );
    assert.equal(tokens.access_token, tokens.token);
    assert.equal(tokens.expires_in, 4500);
    assert.equal(tokens.issued_at, '2027-01-15T08:00:00.000Z');
    assert.equal(tokens.refresh_token, undefined);
    const principal = await server.who(bearer(tokens));
    assert.deepEqual([principal.kind, principal.id], ['admin', 'admin:local'], 'upload sessions are those of the same principal');
    for (const yes of [need('a'), need('a', 'push'), need('b'), catalog]) assert.ok(principal.permits(yes));
    for (const no of [need('a', 'delete'), need('b', 'push'), need('c'), { type: 'operator' } as const])
      assert.equal(principal.permits(no), false);
    assert.ok(principal.couldPermit(need('c', 'delete')));
  });

  test('what is asked badly or not at all gives a token without rights, never an error', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const login = basic('local', announced[0]?.password ?? '');
    for (const query of [
      '',
      'scope=',
      'scope=nonsense',
      'scope=repository:A:pull',
      'scope=%00&scope=:::&service=&account=%F0%9F%9A%A2',
    ]) {
      const tokens = await server.getToken(login, query);
      assert.deepEqual(decodeJwt(tokens.token)['access'], []);
      assert.equal((await server.who(bearer(tokens))).kind, 'admin');
    }
  });

  test('a token stays small whatever is asked', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const scopes = Array.from({ length: 1000 }, (_, index) => `repository:${'long/'.repeat(40)}${index}:pull,push,delete`).join(
      ' ',
    );
    const tokens = await server.getToken(
      basic('local', announced[0]?.password ?? ''),
      new URLSearchParams({ scope: scopes }).toString(),
    );
    assert.ok(tokens.token.length < 8_000, `${tokens.token.length}`);
    assert.ok((await server.who(bearer(tokens))).permits(need(`${'long/'.repeat(40)}0`, 'delete')));
  });

  test('docker login keeps its password: asked by GET, there is no identity token to take its place', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const login = basic('local', announced[0]?.password ?? '');
    const tokens = await server.getToken(login, 'account=local&client_id=docker&offline_token=true&service=local.example');
    assert.equal(tokens.refresh_token, undefined);
  });

  test('an identity token stands in for the password that it was made with, for a year', async (t) => {
    const { start, announced, clock } = await setUpAccess(engine, t);
    const server = await start();
    const password = announced[0]?.password ?? '';
    const form = { grant_type: 'password', username: 'local', password, client_id: 'docker', service: 'local.example' };
    assert.equal((await server.postToken(form)).refresh_token, undefined);
    const { refresh_token: refreshToken = '' } = await server.postToken({ ...form, access_type: 'offline' });
    assert.equal(refreshToken.split('.').length, 3);
    clock.time += 300 * 86_400_000;
    const refresh = { grant_type: 'refresh_token', refresh_token: refreshToken };
    const again = await server.postToken({ ...refresh, access_type: 'offline', scope: 'repository:a:pull registry:catalog:*' });
    assert.ok((await server.who(bearer(again))).permits(need('a')));
    assert.equal(again.refresh_token, undefined, 'the year does not begin anew');
    const asBasic = await server.getToken(
      basic('00000000-0000-0000-0000-000000000000', refreshToken),
      'scope=registry:catalog:*',
    );
    assert.ok((await server.who(bearer(asBasic))).permits(catalog));
    clock.time += 66 * 86_400_000;
    assert.match((await refusal(server.postToken(refresh))).message, /expired/);
  });

  test('attack 20: refresh and access tokens do not stand for one another', async (t) => {
    const { start, announced, registry } = await setUpAccess(engine, t);
    const server = await start();
    const password = announced[0]?.password ?? '';
    const tokens = await server.postToken({
      grant_type: 'password',
      username: 'local',
      password,
      access_type: 'offline',
      scope: 'repository:*:* registry:catalog:*',
    });
    const refreshToken = tokens.refresh_token ?? '';
    const guid = '00000000-0000-0000-0000-000000000000';
    await refusal(server.who(`Bearer ${refreshToken}`));
    await refusal(server.who(basic(guid, tokens.access_token)));
    assert.equal((await server.who(basic(guid, refreshToken))).kind, 'admin', 'it stands in for a password');
    await refusal(server.who(basic('local', refreshToken)));
    await refusal(server.postToken({ grant_type: 'refresh_token', refresh_token: tokens.access_token }));
    await refusal(server.getToken(basic(guid, tokens.access_token)));
    await refusal(server.getToken(bearer(tokens)), 'UNAUTHORIZED');
    // The tokens of one registry at another, be they cached or not.
    const other = { ...registry, id: registry.id + 1, name: 'other', loginServer: 'other.example' };
    assert.ok((await server.who(bearer(tokens))).permits(catalog));
    await refusal(server.who(bearer(tokens), { registry: other }));
    await refusal(server.postToken({ grant_type: 'refresh_token', refresh_token: refreshToken }, other));
    const twin = { ...registry, id: registry.id + 1 };
    await refusal(server.who(bearer(tokens), { registry: twin }));
  });

  test('attack 19: after a password is replaced, its tokens and sign-ins end at once, and those of the other go on', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const firstPassword = announced[0]?.password ?? '';
    const secondPassword = await server.regenerate('password2');
    const [first, second] = [basic('local', firstPassword), basic('local', secondPassword)];
    const form = { grant_type: 'password', username: 'local', access_type: 'offline', scope: 'registry:catalog:*' };
    const ofFirst = await server.postToken({ ...form, password: firstPassword });
    const ofSecond = await server.postToken({ ...form, password: secondPassword });
    for (const each of [first, second, bearer(ofFirst), bearer(ofSecond)]) assert.ok((await server.who(each)).permits(catalog));
    await server.regenerate('password2');
    for (const dead of [second, bearer(ofSecond)]) await refusal(server.who(dead));
    await refusal(server.postToken({ grant_type: 'refresh_token', refresh_token: ofSecond.refresh_token ?? '' }));
    for (const alive of [first, bearer(ofFirst)]) assert.ok((await server.who(alive)).permits(catalog));
    assert.ok((await server.postToken({ grant_type: 'refresh_token', refresh_token: ofFirst.refresh_token ?? '' })).token);
  });

  test('attack 22: other processes know of a replaced password within five seconds, and of the new one at once', async (t) => {
    const { start, announced, clock } = await setUpAccess(engine, t);
    const [here, there] = [await start(), await start()];
    const old = basic('local', announced[0]?.password ?? '');
    const token = bearer(await there.getToken(old, 'scope=registry:catalog:*'));
    await there.who(token);
    await there.who(old);
    const fresh = basic('local', await here.regenerate('password'));
    await refusal(here.who(old));
    await refusal(here.who(token));
    assert.equal((await there.who(fresh)).kind, 'admin');
    clock.time += 5_000;
    await refusal(there.who(old));
    await refusal(there.who(token));
    assert.equal((await there.who(fresh)).kind, 'admin');
  });

  test('attack 22: a disabled user is out within five seconds, and tokens from before stay dead when it is enabled', async (t) => {
    const { start, announced, clock, database } = await setUpAccess(engine, t);
    const server = await start();
    const login = basic('local', announced[0]?.password ?? '');
    const token = bearer(await server.getToken(login, 'scope=registry:catalog:*'));
    await server.who(token);
    await database.write(disableAdmin, undefined);
    clock.time += 5_000;
    for (const each of [login, token]) await refusal(server.who(each));
    await refusal(server.getToken(login));
    await start({ chosenPassword: 'chosen' });
    clock.time += 5_000;
    await refusal(server.who(token));
    assert.equal((await server.who(basic('local', 'chosen'))).kind, 'admin');
  });

  test('attack 22: a password replaced twice in one millisecond revives no token', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const token = bearer(await server.getToken(basic('local', announced[0]?.password ?? ''), 'scope=registry:catalog:*'));
    await server.regenerate('password');
    await server.regenerate('password');
    await refusal(server.who(token));
  });

  test('attack 22: what a slow read saw before a change does not count after it', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const old = basic('local', announced[0]?.password ?? '');
    const racing = Array.from({ length: 20 }, () => server.who(old).catch(() => undefined));
    await server.regenerate('password');
    await Promise.all(racing);
    await refusal(server.who(old));
  });

  test('anonymous pull is off: a token of nobody has no rights; on: it pulls and looks, and nothing more', async (t) => {
    const { start, registry } = await setUpAccess(engine, t);
    const server = await start();
    const wanted = 'repository:a:pull,push,delete repository:b:* repository:*:* registry:catalog:* repository:c:push';
    const open = { ...registry, isAnonymousPullEnabled: true };
    const shut = await server.getToken(undefined, `scope=${wanted}`);
    assert.deepEqual(decodeJwt(shut.token)['access'], []);
    const tokens = await server.postToken(
      { grant_type: 'password', username: '', password: '', scope: wanted, access_type: 'offline' },
      open,
    );
    assert.equal(tokens.refresh_token, undefined);
    assert.deepEqual(decodeJwt<{ access: unknown }>(tokens.token).access, [
      { type: 'repository', name: 'a', actions: ['pull'] },
      ...['b', '*'].map((name) => ({ type: 'repository', name, actions: ['pull', 'metadata_read'] })),
    ]);
    const anonymous = await server.who(bearer(tokens), { registry: open });
    assert.deepEqual([anonymous.kind, anonymous.id], ['anonymous', 'anonymous']);
    assert.ok(anonymous.permits(need('a')));
    for (const no of [need('a', 'push'), need('a', 'delete'), catalog, { type: 'operator' } as const])
      assert.equal(anonymous.permits(no), false);
    assert.equal((await server.who(undefined, { registry: open })).permits(need('z')), true);
    assert.equal((await server.who(undefined)).permits(need('z')), false);
    assert.equal(
      (await server.who(bearer(tokens))).permits(need('a')),
      false,
      'the setting decides now, not when the token was made',
    );
  });

  test('attack 24: names that look like internal ones give nothing', async (t) => {
    const { start, registry } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'chosen' });
    for (const name of [
      'anonymous',
      'admin:local',
      'admin',
      '00000000-0000-0000-0000-000000000000',
      '__proto__',
      'constructor',
      '*',
    ])
      await refusal(server.who(basic(name, 'chosen')));
    // A token whose owner happens to be called as nobody is.
    const named = { ...registry, name: 'anonymous', isAnonymousPullEnabled: true };
    const tokens = await server.getToken(basic('local', 'chosen'), 'scope=registry:catalog:*');
    assert.equal((await server.who(bearer(tokens), { registry: named })).kind, 'admin');
  });

  test('keys rotate, and what was signed in stays so', async (t) => {
    const { start, announced, keys, registry } = await setUpAccess(engine, t);
    const server = await start();
    const login = basic('local', announced[0]?.password ?? '');
    const token = bearer(await server.getToken(login, 'scope=registry:catalog:*'));
    const before = keys.current(registry.id).id;
    const rotate = (key: string): Promise<unknown> =>
      server.call('rotate-keys', { body: Readable.from([Buffer.from(JSON.stringify({ key }))]) });
    const wrapping = (await rotate('wrapping')) as { key: string; id: string; rewrapped: number };
    assert.deepEqual([wrapping.key, wrapping.rewrapped], ['wrapping', 2]);
    assert.deepEqual(await rotate('data'), { key: 'data', id: keys.current(registry.id).id, rewrapped: 0 });
    assert.notEqual(keys.current(registry.id).id, before);
    await refusal(rotate('signing'), 'REQUEST_INVALID');
    for (const each of [server, await start()]) {
      assert.equal((await each.who(login)).kind, 'admin');
      assert.ok((await each.who(token)).permits(catalog));
    }
  });

  test('odd forms are told what is wrong', async (t) => {
    const { start } = await setUpAccess(engine, t);
    const server = await start();
    for (const form of [{}, { grant_type: 'client_credentials' }, { grant_type: '' }]) {
      assert.match((await refusal(server.postToken(form), 'REQUEST_INVALID')).message, /grant_type/);
    }
    await refusal(server.postToken({ grant_type: 'refresh_token' }));
    await refusal(server.postToken({ grant_type: 'password', username: 'local' }));
    await refusal(server.call('regenerate-password', { params: { slot: 'password3' } }), 'NOT_FOUND');
  });
});
