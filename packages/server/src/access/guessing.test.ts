import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { basic, refusal, setUpAccess } from './test-access.ts';

/** What each of many answers is: a principal's kind or the name of the error. */
async function outcomes(answers: readonly Promise<unknown>[]): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const result of await Promise.allSettled(answers)) {
    const name = result.status === 'fulfilled' ? 'in' : (result.reason as { error: string }).error;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

forEachEngine((engine) => {
  test('attack 25: guesses at a chosen password are slowed, with a truthful Retry-After', async (t) => {
    const { start, clock } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'chosen' });
    for (let index = 0; index < 10; index += 1) await refusal(server.who(basic('local', `guess${index}`)));
    const slowed = await refusal(server.who(basic('local', 'guess')), 'TOOMANYREQUESTS');
    assert.equal(slowed.headers['Retry-After'], '6');
    await refusal(server.getToken(basic('local', 'guess')), 'TOOMANYREQUESTS');
    await refusal(server.postToken({ grant_type: 'password', username: 'local', password: 'guess' }), 'TOOMANYREQUESTS');
    clock.time += 6_000;
    await refusal(server.who(basic('local', 'guess')));
    await refusal(server.who(basic('local', 'guess')), 'TOOMANYREQUESTS');
  });

  test('attack 25: the owner gets in while an attacker at the same address is slowed', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'chosen' });
    const other = { address: '10.0.0.2' };
    await server.who(basic('local', 'chosen'), other);
    for (let index = 0; index < 10; index += 1) await refusal(server.who(basic('local', `guess${index}`)));
    await refusal(server.who(basic('local', 'guess')), 'TOOMANYREQUESTS');
    const generated = announced[0]?.password ?? '';
    assert.equal((await server.who(basic('local', generated))).kind, 'admin', 'by the generated password, from the same address');
    assert.equal((await server.who(basic('local', 'chosen'))).kind, 'admin', 'by credentials that were right a while ago');
    const fresh = await start({ chosenPassword: 'chosen' });
    for (let index = 0; index < 10; index += 1) await refusal(fresh.who(basic('local', `guess${index}`)));
    await refusal(fresh.who(basic('local', 'chosen')), 'TOOMANYREQUESTS');
    assert.equal((await fresh.who(basic('local', 'chosen'), other)).kind, 'admin', 'from another address');
    assert.equal((await fresh.who(basic('local', 'chosen'))).kind, 'admin');
  });

  test('attack 25: where all passwords are generated nothing is ever throttled', async (t) => {
    const { start, announced } = await setUpAccess(engine, t);
    const server = await start();
    const guesses = Array.from({ length: 200 }, (_, index) => server.who(basic('local', `guess${index}`)));
    assert.deepEqual(await outcomes(guesses), { UNAUTHORIZED: 200 });
    assert.equal((await server.who(basic('local', announced[0]?.password ?? ''))).kind, 'admin');
  });

  test('attack 25: guesses sent at once are counted at once, and take a bounded share of the work', async (t) => {
    const { start } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'chosen' });
    const guesses = outcomes(Array.from({ length: 100 }, (_, index) => server.who(basic('local', `guess${index}`))));
    const owner = server.who(basic('local', 'chosen'), { address: '10.0.0.2' });
    const { UNAUTHORIZED = 0, TOOMANYREQUESTS = 0 } = await guesses;
    assert.equal((await owner).kind, 'admin');
    assert.ok(UNAUTHORIZED <= 10 && UNAUTHORIZED + TOOMANYREQUESTS === 100, `${UNAUTHORIZED}`);
  });

  test('a client that begins with many requests at once is checked once, and not throttled', async (t) => {
    const { start } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'chosen' });
    const requests = Array.from({ length: 100 }, () => server.who(basic('local', 'chosen')));
    assert.deepEqual(await outcomes(requests), { in: 100 });
  });

  test('attack 25: neither words nor time tell whether a user exists', async (t) => {
    const { start } = await setUpAccess(engine, t);
    const server = await start({ chosenPassword: 'chosen' });
    const medianMs = async (username: string): Promise<number> => {
      const times: number[] = [];
      for (let index = 0; index < 9; index += 1) {
        const began = performance.now();
        const error = await refusal(
          server.who(basic(username, `guess${index}`), { address: `10.1.${index}.${username.length}` }),
        );
        times.push(performance.now() - began);
        assert.equal(error.message, 'the user name or the password is wrong');
      }
      return times.toSorted((a, b) => a - b)[4] ?? 0;
    };
    await medianMs('warm-up');
    const [known, unknown] = [await medianMs('local'), await medianMs('nobody')];
    // A check costs tens of milliseconds, everything else less than one: a skipped check would be a factor of ten.
    assert.ok(known / unknown < 4 && unknown / known < 4, `${known} ms and ${unknown} ms`);
  });
});
