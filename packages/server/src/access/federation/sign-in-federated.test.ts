import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { enableIdentity } from '../identities/transactions.ts';
import { refusal } from '../test-access.ts';
import { FederationBench, audience } from './test-federation.ts';
import { deleteIssuer } from './transactions.ts';

const job = {
  audience,
  subject: 'repo:acme/app:ref:refs/heads/main',
  claims: {
    repository: 'acme/app',
    run_attempt: 1,
    'kubernetes.io': { namespace: 'builds', serviceaccount: { name: 'pusher' } },
  },
};

forEachEngine((engine) => {
  test('a token of a trusted issuer signs in as every identity whose rule it meets, and as nobody else', async (t) => {
    const bench = await FederationBench.setUp(engine, t);
    await bench.trustIssuer();
    const pusher = await bench.addIdentity('pusher');
    const reader = await bench.addIdentity('reader');
    const other = await bench.addIdentity('other');
    const byRepository = await bench.trust(pusher.id, { sub: 'repo:acme/app:ref:refs/heads/*', repository: 'acme/app' });
    const byNamespace = await bench.trust(reader.id, { '/kubernetes.io/serviceaccount/name': 'pusher', run_attempt: '1' });
    await bench.trust(other.id, { sub: 'repo:acme/other:*' });
    const signedIn = await bench.federation.signIn(await bench.provider.issue(job));
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
    assert.deepEqual(
      [...signedIn.identities].toSorted(byId),
      [
        { id: pusher.id, credential: byRepository },
        { id: reader.id, credential: byNamespace },
      ].toSorted(byId),
    );
    assert.equal(signedIn.subject, job.subject);
    assert.ok(signedIn.expiresAt > bench.clock.now() && signedIn.expiresAt <= bench.clock.now() + 301_000);
  });

  test('a client id narrows it to that identity', async (t) => {
    const bench = await FederationBench.setUp(engine, t);
    await bench.trustIssuer();
    const [first, second] = [await bench.addIdentity('first'), await bench.addIdentity('second')];
    await bench.trust(first.id, { repository: 'acme/*' });
    const credential = await bench.trust(second.id, { repository: 'acme/*' });
    const token = await bench.provider.issue(job);
    const { identities } = await bench.federation.signIn(token, { clientId: second.clientId.toUpperCase() });
    assert.deepEqual(identities, [{ id: second.id, credential }]);
    const { message } = await refusal(bench.federation.signIn(token, { clientId: '00000000-0000-0000-0000-000000000000' }));
    assert.match(message, /^no enabled identity with this client id trusts tokens of /);
  });

  test('attack 28: an issuer that nobody trusts is never asked for anything', async (t) => {
    const bench = await FederationBench.setUp(engine, t);
    const identity = await bench.addIdentity('pusher');
    await bench.trust(identity.id, { repository: 'acme/app' });
    const token = await bench.provider.issue(job);
    const before = bench.provider.requests.length;
    const { message } = await refusal(bench.federation.signIn(token));
    assert.match(message, /its issuer "http:\/\/127\.0\.0\.1:\d+" is not trusted here/);
    await bench.trustIssuer(`${bench.provider.issuer}/`);
    await refusal(bench.federation.signIn(token));
    assert.equal(bench.provider.requests.length, before);
  });

  test('attack 22: a disabled identity, and an issuer that is trusted no more, let nobody in at once', async (t) => {
    const bench = await FederationBench.setUp(engine, t);
    await bench.trustIssuer();
    const { id } = await bench.addIdentity('pusher');
    await bench.trust(id, { repository: 'acme/app' });
    const token = await bench.provider.issue(job);
    await bench.federation.signIn(token);
    await bench.database.write(enableIdentity, { id, isEnabled: false });
    await refusal(bench.federation.signIn(token));
    await bench.database.write(enableIdentity, { id, isEnabled: true });
    await bench.federation.signIn(token);
    await bench.database.write(deleteIssuer, { issuer: bench.provider.issuer });
    await refusal(bench.federation.signIn(token));
  });

  test('a refusal names the claim of the credential that did not match, and neither its pattern nor other claims', async (t) => {
    const bench = await FederationBench.setUp(engine, t);
    await bench.trustIssuer();
    const { id } = await bench.addIdentity('pusher');
    await bench.trust(id, { sub: 'repo:acme/app:ref:refs/heads/main', repository: 'acme/secret-project' }, { name: 'main' });
    await bench.trust(id, { repository: 'acme/app' }, { name: 'elsewhere', audiences: ['other.example'] });
    await bench.trust(id, { sub: 'x', 'no.such': '*' }, { name: 'far' });
    const { message } = await refusal(bench.federation.signIn(await bench.provider.issue(job)));
    assert.equal(
      message,
      `a token with iss "${bench.provider.issuer}", aud "registry.example" and sub "repo:acme/app:ref:refs/heads/main" does not match ${
        message.includes('match aud')
          ? 'aud of pusher/elsewhere, nor repository of pusher/main'
          : 'repository of pusher/main, nor aud of pusher/elsewhere'
      }, nor sub and no.such of pusher/far; compare them with "berth identity show"`,
    );
  });

  test('attack 19: the wrong audience is refused, whatever the claims say', async (t) => {
    const bench = await FederationBench.setUp(engine, t);
    await bench.trustIssuer();
    const { id } = await bench.addIdentity('pusher');
    await bench.trust(id, { repository: 'acme/app' });
    for (const aud of ['registry.example.evil', 'REGISTRY.EXAMPLE', '*', 'other'])
      await refusal(bench.federation.signIn(await bench.provider.issue({ ...job, claims: { ...job.claims, aud } })));
  });
});
