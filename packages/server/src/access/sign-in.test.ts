import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { basic, bearer, refusal, setUpAccess } from './test-access.ts';

const catalog = { type: 'registry', name: 'catalog', action: '*' } as const;

forEachEngine((engine) => {
  test('the first start makes both passwords and announces one; later starts make nothing', async (t) => {
    const { start, announced, database } = await setUpAccess(engine, t);
    const server = await start();
    const [first] = announced;
    assert.deepEqual([announced.length, first?.username, first?.slot], [1, 'local', 'password']);
    assert.match(first?.password ?? '', /^[A-Za-z0-9_-]{43}$/);
    const principal = await server.who(basic('local', first?.password ?? ''));
    assert.deepEqual([principal.kind, principal.id], ['admin', 'admin:local']);
    assert.ok(principal.permits({ type: 'operator' }) && principal.permits(catalog));
    const rows = await database.read.selectFrom('admin_passwords').selectAll().orderBy('slot').execute();
    assert.deepEqual(
      rows.map((row) => [row.slot, row.scheme]),
      [
        ['password', 'keyed-sha256'],
        ['password2', 'keyed-sha256'],
      ],
    );
    assert.equal(JSON.stringify(rows).includes(first?.password ?? ''), false);
    await start();
    assert.equal(announced.length, 1);
    assert.deepEqual(await database.read.selectFrom('admin_passwords').selectAll().orderBy('slot').execute(), rows);
  });

  test('processes that start together agree on one signing key and on one password that is known', async (t) => {
    const { start, announced, database } = await setUpAccess(engine, t);
    const servers = await Promise.all([start(), start(), start()]);
    assert.equal((await database.read.selectFrom('signing_keys').selectAll().execute()).length, 1);
    assert.equal(announced.length, 1);
    const password = announced[0]?.password ?? '';
    const tokens = await servers[0].getToken(basic('local', password), 'scope=registry:catalog:*');
    for (const server of servers) {
      assert.equal((await server.who(basic('local', password))).kind, 'admin');
      assert.ok((await server.who(bearer(tokens))).permits(catalog));
    }
  });

  test('wrong credentials of every kind are refused in the same words', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const password = announced[0]?.password ?? '';
    const wrong = [
      basic('local', 'wrong'),
      basic('local', ''),
      basic('', ''),
      basic('', password),
      basic('Local', password),
      basic('local ', password),
      basic('local', `${password} `),
      basic('local', password.slice(0, -1)),
      basic(password, 'local'),
      basic('nobody', password),
    ];
    for (const authorization of wrong) {
      assert.equal((await refusal(server.who(authorization))).message, 'the user name or the password is wrong');
      await refusal(server.getToken(authorization));
    }
    assert.equal(server.access.signInFailures(), 2 * wrong.length);
    for (const broken of [
      'Basic',
      'Basic ',
      'Basic !!',
      'Basic bG9jYWw',
      'Bearer',
      'Bearer ',
      'Digest x',
      'Negotiate',
      '',
      ' ',
      'Basicbmw6bmw=',
    ])
      await refusal(server.who(broken));
  });

  test('a password may hold colons, spaces and letters of any script', async (t) => {
    const { start } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'a:b c:дом 🚢' });
    assert.equal((await server.who(basic('local', 'a:b c:дом 🚢'))).kind, 'admin');
  });

  test('whoever signed in is known without waiting', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const authorization = basic('local', announced[0]?.password ?? '');
    assert.equal(server.known(authorization), undefined);
    await server.who(authorization);
    assert.equal(server.known(authorization)?.kind, 'admin');
    const token = bearer(await server.getToken(authorization, 'scope=repository:a:pull'));
    const seen = server.known(token);
    assert.equal(seen?.id, 'admin:local', 'what it needs to know about the owner is known already');
    assert.equal(server.known(token), seen);
  });

  test('a chosen password becomes the first, and the second is announced', async (t) => {
    const { start, announced, database } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'correct horse' });
    assert.deepEqual(
      announced.map((each) => each.slot),
      ['password2'],
    );
    for (const password of ['correct horse', announced[0]?.password ?? ''])
      assert.equal((await server.who(basic('local', password))).kind, 'admin');
    const row = await database.read
      .selectFrom('admin_passwords')
      .selectAll()
      .where('slot', '=', 'password')
      .executeTakeFirstOrThrow();
    assert.equal(row.scheme, 'argon2id');
    assert.match(row.verifier, /^\$argon2id\$/);
  });

  test('a chosen password that is unchanged changes nothing; a changed one ends what the old one began', async (t) => {
    const { start, announced, clock } = await setUpAccess(engine, t);
    const first = await start({ chosenPassword: 'one' });
    const token = bearer(await first.getToken(basic('local', 'one'), 'scope=registry:catalog:*'));
    clock.time += 60_000;
    const second = await start({ chosenPassword: 'one' });
    assert.ok((await second.who(token)).permits(catalog), 'tokens outlive a restart');
    const third = await start({ chosenPassword: 'two' });
    await refusal(third.who(token));
    await refusal(third.who(basic('local', 'one')));
    assert.equal((await third.who(basic('local', 'two'))).kind, 'admin');
    assert.equal((await third.who(basic('local', announced[0]?.password ?? ''))).kind, 'admin', 'the second password stays');
    assert.equal((await (await start()).who(basic('local', 'two'))).kind, 'admin', 'without the setting it stays');
  });

  test('a crash between announcing and storing leaves no password that nobody was told', async (t) => {
    const { start, announced, keys, database, clock, registry } = await setUpAccess(engine, t);
    const { createAccess } = await import('./index.ts');
    const access = await createAccess({ database, keys, clock, tenantId: randomUUID() });
    const crash = new Error('crash');
    const broken = access.ensureAdmin(registry, {
      chosenPassword: undefined,
      announce: () => Promise.reject(crash),
      retract: async () => {},
    });
    await assert.rejects(broken, crash);
    const server = await start();
    assert.equal((await server.who(basic('local', announced[0]?.password ?? ''))).kind, 'admin');
  });
});
