import assert from 'node:assert/strict';
import { type ClientAnswer, randomImage } from '@berth/testkit';
import { type Management, assertAnswered, managementTests } from './management-tests.ts';
import { newIdentity } from './new-identity.ts';

/** How somebody with these roles asks, by password and by a token for everything that it may in the repository. */
async function credentialsOf(management: Management, roles: readonly string[], repository: string): Promise<readonly string[]> {
  const { clientId, clientSecret } = await newIdentity(management, roles);
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const path = `/oauth2/token?scope=${encodeURIComponent(`repository:${repository}:*`)}`;
  const answer = await management.client.request('GET', path, { authorization: basic });
  assert.equal(answer.status, 200, answer.body.toString());
  return [basic, `Bearer ${(JSON.parse(answer.body.toString()) as { access_token: string }).access_token}`];
}

managementTests('quarantine by roles (acr-api 2.7, 6.5)', (check) => {
  check('who pulls, sees and decides what is in quarantine', async (management) => {
    const { client, manager, newName } = management;
    const properties = { policies: { quarantinePolicy: { status: 'enabled' } } };
    assertAnswered(await manager.call('PATCH', manager.provider('registries/local'), { properties }), 200);
    const repository = `scanned/${newName()}`;
    const image = randomImage();
    await client.pushImage(repository, image, 'v1');
    const pulled = (authorization: string, reference: string): Promise<ClientAnswer> =>
      client.request('GET', `/v2/${repository}/manifests/${reference}`, { authorization });
    const decided = (authorization: string, change: object): Promise<ClientAnswer> =>
      client.request('PATCH', `/acr/v1/${repository}/_manifests/${image.manifest.digest}`, {
        authorization,
        body: JSON.stringify(change),
      });

    for (const roles of [['AcrPull'], ['AcrPush'], ['AcrPush', 'AcrDelete']]) {
      const [basic = '', bearer = ''] = await credentialsOf(management, roles, repository);
      for (const authorization of [basic, bearer]) {
        assert.equal((await pulled(authorization, 'v1')).status, 404, roles.join());
        assert.equal((await pulled(authorization, image.manifest.digest)).status, 405, roles.join());
      }
      assert.equal((await decided(basic, { quarantineState: 'Passed' })).status, 403, roles.join());
      assert.equal((await decided(bearer, { quarantineState: 'Passed' })).status, 401, roles.join());
    }

    const [reader = '', readerToken = ''] = await credentialsOf(management, ['AcrPull', 'AcrQuarantineReader'], repository);
    for (const authorization of [reader, readerToken]) assert.equal((await pulled(authorization, 'v1')).status, 200);
    assert.equal((await decided(reader, { quarantineState: 'Passed' })).status, 403);

    const [scanner = '', scannerToken = ''] = await credentialsOf(management, ['AcrPull', 'AcrQuarantineWriter'], repository);
    const listed = await client.request('GET', `/acr/v1/${repository}/_manifests`, { authorization: scanner });
    assert.match(listed.body.toString(), /"quarantineState":"Quarantined"/);
    const wrong = await decided(scanner, { quarantineState: 'fine' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.body.toString(), /quarantineState must be Passed or Failed, not \\"fine\\"/);
    for (const authorization of [scanner, scannerToken]) {
      const locked = await decided(authorization, { writeEnabled: false });
      assert.equal(locked.status, 403);
      assert.match(locked.body.toString(), /needs metadata_write/);
      const both = await decided(authorization, { quarantineState: 'Passed', writeEnabled: false });
      assert.equal(both.status, 403, 'half of a change is not made');
    }
    assert.equal((await pulled(client.basic, 'v1')).status, 200, 'the admin user sees everything');
    const failed = await decided(scanner, { quarantineState: 'FAILED', quarantineDetails: '{"scanner":"x"}' });
    assert.match(failed.body.toString(), /"quarantineState":"Failed"/);
    const [pull = ''] = await credentialsOf(management, ['AcrPull'], repository);
    assert.equal((await pulled(pull, 'v1')).status, 404);
    const passed = await decided(scannerToken, { quarantineState: 'passed' });
    assert.equal(passed.status, 200, passed.body.toString());
    assert.match(passed.body.toString(), /"quarantineState":"Passed"/);
    assert.equal((await pulled(pull, 'v1')).status, 200);
    const off = { policies: { quarantinePolicy: { status: 'disabled' } } };
    assertAnswered(await manager.call('PATCH', manager.provider('registries/local'), { properties: off }), 200);
  });
});
