import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { azureSession, pick, signInAsOwner } from './azure-session.ts';
import { clientSuite } from './client-suite.ts';

/** The Azure CLI, signed in as a service principal: registries, their settings and their children. */
clientSuite(
  'azure-cli',
  ['az'],
  (session) => {
    const azure = azureSession(session);
    const { az, acr } = azure;
    const mine = ['--name', 'azone'];
    const inMine = ['--registry', 'azone'];

    before(() => signInAsOwner(azure, session));

    test('checks a name, makes a group and a registry, shows, lists and changes it', async () => {
      assert.deepEqual(pick(await acr('check-name', ...mine), 'nameAvailable', 'availableLoginServerName'), [
        true,
        `azone.${session.target.host}`,
      ]);
      await az('group', 'create', '--name', 'azgroup', '--location', 'local');
      const made = await acr('create', ...mine, '--resource-group', 'azgroup', '--sku', 'Premium', '--admin-enabled', 'true');
      assert.deepEqual(pick(made, 'name', 'resourceGroup', 'sku.tier', 'adminUserEnabled', 'provisioningState'), [
        'azone',
        'azgroup',
        'Premium',
        true,
        'Succeeded',
      ]);
      const changed = await acr('update', ...mine, '--tags', 'team=a', '--anonymous-pull-enabled', 'true');
      assert.deepEqual(pick(changed, 'tags.team', 'anonymousPullEnabled', 'adminUserEnabled'), ['a', true, true]);
      assert.deepEqual(pick(await acr('show', ...mine), 'id', 'tags.team'), pick(changed, 'id', 'tags.team'));
      const listed = (await acr('list')) as { name: string }[];
      assert.deepEqual(
        listed.map((each) => each.name),
        ['azone', 'local'],
      );
      assert.deepEqual(((await acr('list', '--resource-group', 'azgroup')) as unknown[]).length, 1);
      await assert.rejects(acr('create', ...mine, '--resource-group', 'berth', '--sku', 'Basic'), /already in use/);
    });

    test('shows usage, endpoints and passwords, and renews one', async () => {
      const { value } = (await acr('show-usage', ...mine)) as { value: { name: string; limit: number; currentValue: number }[] };
      assert.deepEqual(
        pick(
          value.find((each) => each.name === 'Webhooks'),
          'limit',
          'currentValue',
        ),
        [500, 0],
      );
      assert.deepEqual(pick(await acr('show-endpoints', ...mine), 'loginServer'), [`azone.${session.target.host}`]);
      const { username, passwords } = (await acr('credential', 'show', ...mine)) as {
        username: string;
        passwords: { value: string }[];
      };
      assert.equal(username, 'azone');
      const renewed = (await acr('credential', 'renew', ...mine, '--password-name', 'password2')) as {
        passwords: { value: string }[];
      };
      assert.equal(renewed.passwords[0]?.value, passwords[0]?.value);
      assert.notEqual(renewed.passwords[1]?.value, passwords[1]?.value);
    });

    test('sets policies', async () => {
      const retention = await acr(
        'config',
        'retention',
        'update',
        ...inMine,
        '--status',
        'enabled',
        '--days',
        '10',
        '--type',
        'UntaggedManifests',
      );
      assert.deepEqual(pick(retention, 'status', 'days'), ['enabled', 10]);
      assert.deepEqual(pick(await acr('config', 'retention', 'show', ...inMine), 'status', 'days'), ['enabled', 10]);
      await acr(
        'config',
        'retention',
        'update',
        ...inMine,
        '--status',
        'disabled',
        '--days',
        '10',
        '--type',
        'UntaggedManifests',
      );
      await acr('config', 'soft-delete', 'update', ...inMine, '--status', 'enabled', '--days', '5', '--yes');
      assert.deepEqual(pick(await acr('config', 'soft-delete', 'show', ...inMine), 'status', 'retentionDays'), ['enabled', 5]);
      assert.deepEqual(pick(await acr('config', 'content-trust', 'show', ...inMine), 'status'), ['disabled']);
      await assert.rejects(
        acr('config', 'content-trust', 'update', ...inMine, '--status', 'enabled'),
        /Docker Content Trust has ended/,
      );
      assert.deepEqual(pick(await acr('config', 'content-trust', 'update', ...inMine, '--status', 'disabled'), 'status'), [
        'disabled',
      ]);
      await acr('config', 'authentication-as-arm', 'update', ...inMine, '--status', 'disabled');
      assert.deepEqual(pick(await acr('config', 'authentication-as-arm', 'show', ...inMine), 'status'), ['disabled']);
    });

    test('sets network rules', async () => {
      const rule = ['--ip-address', '203.0.113.0/24'];
      await acr('network-rule', 'add', ...mine, ...rule);
      assert.deepEqual(pick(await acr('network-rule', 'list', ...mine), 'ipRules.0.ipAddressOrRange', 'ipRules.length'), [
        '203.0.113.0/24',
        1,
      ]);
      await acr('network-rule', 'remove', ...mine, ...rule);
      assert.deepEqual(pick(await acr('network-rule', 'list', ...mine), 'ipRules.length'), [0]);
      await assert.rejects(acr('network-rule', 'add', ...mine, '--ip-address', '1.2.3.4/99'), /1\.2\.3\.4\/99/);
    });

    test('makes, shows, lists, changes and deletes webhooks; lists replications', async () => {
      const hook = [...inMine, '--name', 'azhook'];
      const made = await acr(
        'webhook',
        'create',
        ...hook,
        '--uri',
        'https://hooks.example/',
        '--actions',
        'push',
        'delete',
        '--headers',
        'k=v',
        '--scope',
        'app:*',
      );
      assert.deepEqual(pick(made, 'actions', 'scope', 'status'), [['push', 'delete'], 'app:*', 'enabled']);
      assert.deepEqual(
        ((await acr('webhook', 'list', ...inMine)) as { name: string }[]).map((each) => each.name),
        ['azhook'],
      );
      assert.deepEqual(await acr('webhook', 'get-config', ...hook), {
        customHeaders: { k: 'v' },
        serviceUri: 'https://hooks.example/',
      });
      const { id } = (await acr('webhook', 'ping', ...hook)) as { id: string };
      const events = (await acr('webhook', 'list-events', ...hook)) as { id: string }[];
      assert.deepEqual(
        events.map((event) => [event.id, ...pick(event, 'eventRequestMessage.content.action', 'eventRequestMessage.method')]),
        [[id, 'ping', 'POST']],
      );
      assert.deepEqual(pick(await acr('webhook', 'update', ...hook, '--status', 'disabled'), 'status'), ['disabled']);
      assert.deepEqual(pick(await acr('webhook', 'show', ...hook), 'status', 'serviceUri'), ['disabled', undefined]);
      await acr('webhook', 'delete', ...hook);
      assert.deepEqual(await acr('replication', 'list', ...inMine), []);
    });

    test('deletes the registry and the group', async () => {
      await assert.rejects(az('group', 'delete', '--name', 'azgroup', '--yes'), /holds registries/);
      assert.deepEqual(
        ((await az('group', 'list')) as { name: string }[]).map((each) => each.name),
        ['azgroup', 'berth'],
      );
      await acr('delete', ...mine, '--yes');
      await assert.rejects(acr('show', ...mine, '--resource-group', 'azgroup'), /ResourceNotFound|was not found/);
      await az('group', 'delete', '--name', 'azgroup', '--yes');
      assert.deepEqual(
        ((await az('resource', 'list')) as { name: string }[]).map((each) => each.name),
        ['local'],
      );
      assert.equal(
        pick(await az('provider', 'show', '--namespace', 'Microsoft.ContainerRegistry'), 'registrationState')[0],
        'Registered',
      );
    });
  },
  ['tls'],
);
