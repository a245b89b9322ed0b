import assert from 'node:assert/strict';
import type { ManagerAnswer } from '@berth/testkit';
import { type Management, assertAnswered, assertArmError, createRegistry, managementTests, member } from './management-tests.ts';

const content = 'version: v1.1.0\nsteps:\n  - cmd: bash echo {{.Values.word}}\n';
const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** A task of every kind of secret. */
const docker = {
  status: 'Enabled',
  platform: { os: 'Linux', architecture: 'amd64' },
  agentConfiguration: { cpu: 2 },
  timeout: 600,
  step: {
    type: 'Docker',
    contextPath: 'https://git.example/team/app.git#main:web',
    contextAccessToken: 'context-token',
    dockerFilePath: 'Dockerfile',
    imageNames: ['app:{{.Run.ID}}', 'app:latest'],
    arguments: [
      { name: 'PLAIN', value: 'shown', isSecret: false },
      { name: 'HIDDEN', value: 'argument-secret', isSecret: true },
    ],
  },
  trigger: {
    timerTriggers: [{ name: 't1', schedule: '0 1 * * *' }],
    sourceTriggers: [
      {
        name: 'defaultSourceTriggerName',
        sourceTriggerEvents: ['commit'],
        sourceRepository: {
          sourceControlType: 'Github',
          repositoryUrl: 'https://git.example/team/app.git#main',
          branch: 'main',
          sourceControlAuthProperties: { tokenType: 'PAT', token: 'source-token', scope: 'repo' },
        },
      },
    ],
    baseImageTrigger: { name: 'defaultBaseimageTriggerName', baseImageTriggerType: 'Runtime' },
  },
  credentials: {
    customRegistries: {
      'other.example': {
        userName: { value: 'login-user', type: 'Opaque' },
        password: { value: 'login-password', type: 'Opaque' },
      },
    },
  },
} as const;
const secrets = ['context-token', 'argument-secret', 'source-token', 'login-user', 'login-password'];

const inline = (more: object = {}, step: object = {}): object => ({
  location: 'local',
  properties: {
    platform: { os: 'Linux' },
    step: { type: 'EncodedTask', encodedTaskContent: encoded(content), ...step },
    ...more,
  },
});

function put({ manager }: Management, path: string, properties: object): Promise<ManagerAnswer> {
  return manager.call('PUT', path, { location: 'local', properties });
}

managementTests('tasks as resources (acr-tasks 6.3)', (check) => {
  check('a task is read back as it was written, without its secrets; listDetails has them', async (management) => {
    const { manager } = management;
    const path = `${await createRegistry(management)}/tasks/build-app`;
    const made = assertAnswered(await put(management, path, docker), 200);
    assert.equal(member(made, 'properties.provisioningState'), 'Succeeded');
    assert.match(String(member(made, 'properties.creationDate')), /^\d{4}-/);
    const shown = assertAnswered(await manager.call('GET', path), 200);
    for (const secret of secrets) assert.ok(!shown.body.toString().includes(secret), secret);
    assert.deepEqual(member(shown, 'properties.step.arguments'), [
      { name: 'PLAIN', value: 'shown', isSecret: false },
      { name: 'HIDDEN', isSecret: true },
    ]);
    assert.equal(member(shown, 'properties.step.baseImageDependencies'), null);
    assert.equal(member(shown, 'properties.step.isPushEnabled'), true);
    assert.deepEqual(member(shown, 'properties.trigger.timerTriggers'), [
      { name: 't1', schedule: '0 1 * * *', status: 'Enabled' },
    ]);
    const details = assertAnswered(await manager.call('POST', `${path}/listDetails`), 200);
    for (const secret of secrets) assert.ok(details.body.toString().includes(secret), secret);
    // `az acr task timer remove` puts back what it got.
    const again = assertAnswered(await manager.call('PUT', path, details.json), 200);
    assert.deepEqual(member(again, 'properties'), member(shown, 'properties'));
    assert.deepEqual(
      (assertAnswered(await manager.call('POST', `${path}/listDetails`), 200).json as { properties: object }).properties,
      (details.json as { properties: object }).properties,
    );
    const listed = assertAnswered(await manager.call('GET', path.replace(/\/build-app$/, '')), 200);
    assert.equal(member(listed, 'value.0.name'), 'build-app');
    for (const secret of secrets) assert.ok(!listed.body.toString().includes(secret), secret);
    assertAnswered(await manager.call('DELETE', path), 200);
    assertAnswered(await manager.call('DELETE', path), 204);
  });

  check('PATCH merges: triggers by name, credentials by registry, a step member by member', async (management) => {
    const { manager } = management;
    const path = `${await createRegistry(management)}/tasks/build-app`;
    assertAnswered(await put(management, path, docker), 200);
    const patch = async (properties: object): Promise<ManagerAnswer> =>
      assertAnswered(await manager.call('PATCH', path, { properties }), 200);
    const timers = await patch({
      trigger: {
        timerTriggers: [
          { name: 't2', schedule: '*/5 * * * *' },
          { name: 't1', status: 'Disabled' },
        ],
        sourceTriggers: [],
      },
    });
    assert.deepEqual(member(timers, 'properties.trigger.timerTriggers'), [
      { name: 't1', schedule: '0 1 * * *', status: 'Disabled' },
      { name: 't2', schedule: '*/5 * * * *', status: 'Enabled' },
    ]);
    assert.equal((member(timers, 'properties.trigger.sourceTriggers') as unknown[]).length, 1);
    const step = await patch({ step: { type: 'Docker', noCache: true, arguments: [{ name: 'HIDDEN', isSecret: true }] } });
    assert.equal(member(step, 'properties.step.noCache'), true);
    assert.equal(member(step, 'properties.step.contextPath'), 'https://git.example/team/app.git#main:web');
    const login = {
      userName: { value: 'u', type: 'Opaque' },
      password: { value: 'https://berth/secrets/p', type: 'Vaultsecret' },
    };
    await patch({ credentials: { customRegistries: { 'third.example:5000': login } } });
    await patch({ credentials: { customRegistries: { 'other.example': null } } });
    // What az sends for what is not changed.
    await patch({
      platform: { os: null, architecture: null },
      agentConfiguration: { cpu: null },
      timeout: null,
      credentials: null,
    });
    const details = assertAnswered(await manager.call('POST', `${path}/listDetails`), 200);
    assert.deepEqual(member(details, 'properties.credentials.customRegistries'), {
      'third.example:5000': {
        userName: { type: 'Opaque', value: 'u' },
        password: { type: 'Vaultsecret', value: 'https://berth/secrets/p' },
        identity: null,
      },
    });
    assert.deepEqual(member(details, 'properties.step.arguments'), [
      { name: 'HIDDEN', value: 'argument-secret', isSecret: true },
    ]);
    assert.equal(member(details, 'properties.timeout'), 600);
  });

  check('attack 30: a context, or a repository, at another host does not get the token of the one before', async (management) => {
    const { manager } = management;
    const path = `${await createRegistry(management)}/tasks/build-app`;
    assertAnswered(await put(management, path, docker), 200);
    const tokens = async (): Promise<readonly unknown[]> => {
      const details = assertAnswered(await manager.call('POST', `${path}/listDetails`), 200);
      return [
        member(details, 'properties.step.contextAccessToken'),
        member(details, 'properties.trigger.sourceTriggers.0.sourceRepository.sourceControlAuthProperties.token'),
      ];
    };
    const move = async (host: string, more: object = {}): Promise<void> => {
      const sourceTriggers = [
        { name: 'defaultSourceTriggerName', sourceRepository: { repositoryUrl: `https://${host}/team/b.git` } },
      ];
      const step = { type: 'Docker', contextPath: `https://${host}/team/b.git`, ...more };
      assertAnswered(await manager.call('PATCH', path, { properties: { step, trigger: { sourceTriggers } } }), 200);
    };
    await move('git.example');
    assert.deepEqual(await tokens(), ['context-token', 'source-token']);
    await move('evil.example');
    assert.deepEqual(await tokens(), [null, undefined]);
    // Nor does it come back; it is given again.
    await move('git.example', { contextAccessToken: 'second' });
    assert.deepEqual(await tokens(), ['second', undefined]);
    // A token in an address is taken out of it.
    await move('me:third@git.example');
    const shown = assertAnswered(await manager.call('GET', path), 200);
    assert.ok(!shown.body.toString().includes('third'));
    assert.deepEqual(await tokens(), ['third', 'third']);
  });

  check('what is wrong is named by its field', async (management) => {
    const { manager } = management;
    const registry = await createRegistry(management);
    const cases: readonly (readonly [body: object, target: string | undefined, words: RegExp])[] = [
      [{ location: 'local', properties: {} }, 'properties.step', /is missing/],
      [inline({ platform: {} }), 'properties.platform.os', /is missing: Linux or Windows/],
      [inline({ platform: { os: 'BeOS' } }), 'properties.platform.os', /must be one of/],
      [inline({ timeout: 299 }), 'properties.timeout', /300 to 28800/],
      [inline({ agentPoolName: 'no pool' }), 'properties.agentPoolName', /3 to 20/],
      [inline({}, { type: 'Other' }), 'properties.step.type', /must be one of Docker/],
      [inline({}, { encodedTaskContent: '***' }), 'properties.step.encodedTaskContent', /base64/],
      [
        inline({}, { encodedTaskContent: encoded('version: v1.1.0\nsteps:\n  - cmd: bash\n    whenn: ["-"]\n') }),
        'properties.step.encodedTaskContent',
        /4:5: .*whenn/,
      ],
      [inline({}, { type: 'Docker' }), 'properties.step.contextPath', /a Docker step reads its files there/],
      [inline({}, { contextPath: 'ext::sh -c x' }), 'properties.step.contextPath', /must be the https/],
      [inline({}, { contextPath: 'source/abc' }), 'properties.step.contextPath', /gone after one run/],
      [
        inline({ trigger: { timerTriggers: [{ name: 'a', schedule: '0 1 * *' }] } }),
        'properties.trigger.timerTriggers[0].schedule',
        /has 4 fields/,
      ],
      [
        inline({ trigger: { timerTriggers: [{ name: 'a', schedule: '0 1 * * *', timeZone: 'Mars/Base' }] } }),
        'properties.trigger.timerTriggers[0].schedule',
        /time zone "Mars\/Base"/,
      ],
      [
        inline({
          trigger: {
            timerTriggers: [
              { name: 'a', schedule: '0 1 * * *' },
              { name: 'A', schedule: '0 2 * * *' },
            ],
          },
        }),
        'properties.trigger.timerTriggers[1].name',
        /another trigger/,
      ],
      [
        inline({ trigger: { sourceTriggers: docker.trigger.sourceTriggers } }, { contextPath: '/dev/null' }),
        'properties.step.contextPath',
        /the source trigger defaultSourceTriggerName waits for commits/,
      ],
      [
        inline({ trigger: { baseImageTrigger: { name: 'b', baseImageTriggerType: 'Some' } } }),
        'properties.trigger.baseImageTrigger.baseImageTriggerType',
        /must be one of Runtime, All/,
      ],
      [
        inline({ credentials: { customRegistries: { 'http://x/': {} } } }),
        'properties.credentials.customRegistries',
        /no host name/,
      ],
      [
        inline({ credentials: { customRegistries: { 'x.example': { userName: { value: 'u' } } } } }),
        'properties.credentials.customRegistries.x.example',
        /a user name and a password/,
      ],
      [
        inline({ access: [{ repository: 'UPPER', actions: ['pull'] }] }),
        'properties.access[0].repository',
        /name of a repository/,
      ],
    ];
    for (const [body, target, words] of cases) {
      const answer = await manager.call('PUT', `${registry}/tasks/wrong`, body);
      assertArmError(answer, 400, 'InvalidParameter', target);
      assert.match(String(member(answer, 'error.message')), words);
    }
    assertArmError(await manager.call('PUT', `${registry}/tasks/four`, inline()), 400, 'InvalidParameter', 'name');
  });

  check('a secret of a task is sealed where it lies, and is no part of an error', async (management) => {
    const { manager } = management;
    const path = `${await createRegistry(management)}/tasks/wrong`;
    const values = [{ name: 'word', value: 'very-secret: [', isSecret: true }];
    const broken = inline({}, { encodedTaskContent: encoded('steps:\n  - cmd: [{{.Values.word}}\n'), values });
    const answer = await manager.call('PUT', path, broken);
    assertArmError(answer, 400, 'InvalidParameter', 'properties.step.encodedTaskContent');
    assert.ok(!answer.body.toString().includes('very-secret'));
  });

  check('identities are kept, added to and taken away', async (management) => {
    const { manager } = management;
    const path = `${await createRegistry(management)}/tasks/build-app`;
    const user = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me';
    assertAnswered(await manager.call('PUT', path, { ...inline(), identity: { type: 'SystemAssigned' } }), 200);
    const change = async (identity: object): Promise<unknown> =>
      member(assertAnswered(await manager.call('PATCH', path, { identity }), 200), 'identity');
    const type = 'SystemAssigned, UserAssigned';
    assert.deepEqual(await change({ type, userAssignedIdentities: { [user]: {} } }), {
      type,
      userAssignedIdentities: { [user]: {} },
    });
    assert.deepEqual(await change({ type: 'None' }), null);
  });

  check('runs are made of tasks: values over values, and what is asked for at once', async (management) => {
    const { manager } = management;
    const registry = await createRegistry(management);
    const values = [{ name: 'word', value: 'own', isSecret: false }];
    assertAnswered(await manager.call('PUT', `${registry}/tasks/hello`, inline({ timeout: 900 }, { values })), 200);
    const run = assertAnswered(
      await manager.call('POST', `${registry}/scheduleRun`, {
        type: 'TaskRunRequest',
        taskId: `${registry}/tasks/hello`,
        overrideTaskStepProperties: {
          values: [{ name: 'word', value: 'other', isSecret: false }],
          updateTriggerToken: 'dG9rZW4=',
        },
      }),
      200,
    );
    assert.equal(member(run, 'properties.task'), 'hello');
    assert.equal(member(run, 'properties.runType'), 'QuickRun');
    assert.equal(member(run, 'properties.updateTriggerToken'), 'dG9rZW4=');
    const missing = await manager.call('POST', `${registry}/scheduleRun`, {
      type: 'TaskRunRequest',
      taskId: `${registry}/tasks/nothing`,
    });
    assertArmError(missing, 404, 'ResourceNotFound', 'taskId');
    assertAnswered(await manager.call('PATCH', `${registry}/tasks/hello`, { properties: { status: 'Disabled' } }), 200);
    const disabled = await manager.call('POST', `${registry}/scheduleRun`, {
      type: 'TaskRunRequest',
      taskId: `${registry}/tasks/hello`,
    });
    assertArmError(disabled, 400, 'InvalidParameter', 'taskId');
  });
});

managementTests('task runs and agent pools as resources (acr-tasks 6.3, 7)', (check) => {
  check('a task run runs once for a request and a tag', async (management) => {
    const { manager } = management;
    const path = `${await createRegistry(management)}/taskRuns/deploy`;
    const runRequest = {
      type: 'EncodedTaskRunRequest',
      platform: { os: 'Linux' },
      encodedTaskContent: encoded(content),
      values: [{ name: 'word', value: 'run-secret', isSecret: true }],
      credentials: { customRegistries: { 'o.example': { userName: { value: 'someone' }, password: { value: 'hidden-too' } } } },
    };
    const runOf = async (forceUpdateTag?: string, request: object = runRequest): Promise<string> => {
      const body = { properties: { runRequest: request, ...(forceUpdateTag !== undefined && { forceUpdateTag }) } };
      const answer = assertAnswered(await manager.call('PUT', path, body), 200, 201);
      assert.equal(member(answer, 'properties.provisioningState'), 'Creating');
      for (const secret of ['run-secret', 'hidden-too', 'someone']) assert.ok(!answer.body.toString().includes(secret), secret);
      return String(member(answer, 'properties.runResult.properties.runId'));
    };
    const first = await runOf();
    assert.equal(await runOf(), first);
    const second = await runOf('2');
    assert.notEqual(second, first);
    assert.equal(await runOf('2'), second);
    const third = await runOf('2', { ...runRequest, timeout: 900 });
    assert.notEqual(third, second);
    const retagged = assertAnswered(await manager.call('PATCH', path, { properties: { forceUpdateTag: '3' } }), 200);
    const fourth = String(member(retagged, 'properties.runResult.properties.runId'));
    assert.ok(![first, second, third].includes(fourth));
    const details = assertAnswered(await manager.call('POST', `${path}/listDetails`), 200);
    assert.deepEqual(member(details, 'properties.runRequest'), { ...runRequest, timeout: 900 });
    const registry = path.split('/taskRuns')[0];
    assertAnswered(await manager.call('POST', `${registry}/runs/${fourth}/cancel`), 200, 202);
    const canceled = assertAnswered(await manager.call('GET', path), 200);
    assert.equal(member(canceled, 'properties.provisioningState'), 'Canceled');
    const upload = { ...runRequest, sourceLocation: 'source/abc' };
    const refused = await manager.call('PUT', path, { properties: { runRequest: upload } });
    assertArmError(refused, 400, 'InvalidParameter', 'properties.runRequest.sourceLocation');
  });

  check('agent pools are kept on every plan, and count who waits in them', async (management) => {
    const { manager } = management;
    const registry = await createRegistry(management, {}, 'Basic');
    const path = `${registry}/agentPools/builders`;
    const made = await manager.call('PUT', path, { location: 'local', properties: { count: 2, tier: 's2', os: 'Linux' } });
    assert.deepEqual(member(assertAnswered(made, 200, 201), 'properties'), {
      provisioningState: 'Succeeded',
      count: 2,
      tier: 'S2',
      os: 'Linux',
      virtualNetworkSubnetResourceId: null,
    });
    assert.equal(
      member(assertAnswered(await manager.call('PATCH', path, { properties: { count: 0 } }), 200), 'properties.count'),
      0,
    );
    const task = inline({ agentPoolName: 'builders' });
    assertAnswered(await manager.call('PUT', `${registry}/tasks/hello`, task), 200);
    const request = { type: 'TaskRunRequest', taskId: `${registry}/tasks/hello` };
    assertAnswered(await manager.call('POST', `${registry}/scheduleRun`, request), 200);
    assert.deepEqual(assertAnswered(await manager.call('POST', `${path}/listQueueStatus`), 200).json, { count: 1 });
    assertArmError(
      await manager.call('PUT', path, { location: 'local', properties: { tier: 'X9' } }),
      400,
      'InvalidParameter',
      'properties.tier',
    );
  });
});
