import assert from 'node:assert/strict';
import {
  type Operation,
  type Permission,
  acr,
  agents,
  audit,
  cleanup,
  distribution,
  health,
  identities,
  runs,
  tasks,
  upkeep,
  usage,
  webhooks,
} from '@berth/api';
import { type ClientAnswer, parseChallenge, randomImage } from '@berth/testkit';
import { type DefineCheck, type Protocol, assertStatus, locationOf, protocolTests } from './protocol-tests.ts';

/**
 * Every operation but those of the token endpoint and the webhooks of forges, which check credentials themselves, and the
 * upload of a source, which is for whoever may build: see `tests/protocol/sources.test.ts`.
 */
const operations: readonly Operation[] = [
  ...Object.values(distribution),
  ...Object.values(acr),
  ...Object.values(audit),
  ...Object.values(health),
  ...Object.values(cleanup),
  ...Object.values(upkeep),
  ...Object.values(usage),
  ...Object.values(identities),
  ...Object.values(runs).filter(({ id }) => id !== runs.uploadSource.id),
  ...Object.values(tasks).filter(({ id }) => id !== tasks.receiveHook.id),
  ...Object.values(agents),
  ...Object.values(webhooks),
];
const allActions = ['pull', 'push', 'delete', 'metadata_read', 'metadata_write', 'deleted_read', 'deleted_restore'];

/** Who calls, and what that caller may by a model of its own: nothing here asks the server's code. */
interface Caller {
  readonly name: string;
  readonly authorization: string;
  readonly kind: 'nobody' | 'password' | 'token' | 'invalid';
  /** Actions on the repository that is asked for. */
  readonly actions: readonly string[];
  readonly mayCatalog: boolean;
}

async function tokenFor({ client }: Protocol, scopes: readonly string[], authorization = client.basic): Promise<string> {
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]));
  const answer = await client.request('GET', `/oauth2/token?${query}`, { authorization });
  assertStatus(answer, 200);
  return `Bearer ${(JSON.parse(answer.body.toString()) as { token: string }).token}`;
}

async function callers(protocol: Protocol, repository: string, isAnonymousPull: boolean): Promise<Caller[]> {
  const { client, username } = protocol;
  const nothing = { actions: [], mayCatalog: false };
  const anybody = { actions: isAnonymousPull ? ['pull', 'metadata_read'] : [], mayCatalog: false };
  const token = async (
    name: string,
    actions: readonly string[],
    scopes: readonly string[],
    mayCatalog = false,
  ): Promise<Caller> => {
    return { name: `token ${name}`, authorization: await tokenFor(protocol, scopes), kind: 'token', actions, mayCatalog };
  };
  const others = ['2', '/', '/sub', '-'].map((suffix) => `repository:${repository}${suffix}:*`);
  const without = allActions
    .slice(0, 3)
    .map((left) => [left, allActions.filter((action) => action !== left)] as const)
    .map(([left, actions]) =>
      token(`without ${left}`, actions, [`repository:${repository}:${actions.join(',')}`, 'registry:catalog:*'], true),
    );
  const only = allActions.map((action) => token(`to ${action} only`, [action], [`repository:${repository}:${action}`]));
  const wrongBasic = `Basic ${Buffer.from(`${username}:wrong`).toString('base64')}`;
  return [
    { name: 'nobody', authorization: 'none', kind: 'nobody', ...anybody },
    {
      name: 'token of nobody',
      authorization: await tokenFor(protocol, [`repository:${repository}:*`, 'registry:catalog:*'], 'none'),
      kind: 'nobody',
      ...anybody,
    },
    { name: 'password', authorization: client.basic, kind: 'password', actions: allActions, mayCatalog: true },
    await token('to everything', allActions, ['repository:*:*', 'registry:catalog:*'], true),
    await token('to the repository', allActions, [`repository:${repository}:*`]),
    ...(await Promise.all([...without, ...only])),
    await token('of other repositories', [], others),
    await token('to the catalog', [], ['registry:catalog:*'], true),
    await token('to nothing', [], []),
    { name: 'wrong password', authorization: wrongBasic, kind: 'invalid', ...nothing },
    { name: 'broken token', authorization: client.basic.replace('Basic', 'Bearer'), kind: 'invalid', ...nothing },
  ];
}

/** The answer that a declaration promises a caller: 401, 403, or whatever its handler says. */
function promised(permission: Permission, caller: Caller, isAnonymousPull: boolean): 401 | 403 | 'served' {
  if (permission.kind === 'public') return 'served';
  if (caller.kind === 'invalid') return 401;
  switch (permission.kind) {
    case 'authenticated':
      return caller.kind !== 'nobody' || (isAnonymousPull && caller.authorization !== 'none') ? 'served' : 401;
    case 'catalog':
      return caller.mayCatalog ? 'served' : 401;
    case 'repository':
      return permission.actions.every((action) => caller.actions.includes(action)) ? 'served' : 401;
    case 'deleted-catalog':
      // None of the tokens asked for it.
      return caller.kind === 'password' ? 'served' : 401;
    case 'management':
    case 'resource':
      throw new Error(`${permission.kind} is not of the distribution protocol`);
    case 'agent':
    case 'region':
      // A key of an agent or of the regions lets in, and none of these is one.
      return caller.kind === 'nobody' ? 401 : 403;
    case 'operator':
    case 'deployment':
      // No token opens them, so no challenge would help its bearer.
      if (caller.kind === 'password') return 'served';
      return caller.kind === 'token' ? 403 : 401;
  }
}

const values: Readonly<Record<string, string>> = {
  digest: `sha256:${'a'.repeat(64)}`,
  reference: 'none',
  session: '00000000-0000-4000-8000-000000000000',
  slot: 'password2',
  rule: 'none',
  schedule: 'none',
  identity: 'nobody',
  secret: 'none',
  credential: 'none',
  assignment: '00000000-0000-4000-8000-000000000000',
  run: 'ca1',
  task: 'none',
  trigger: 'none',
  key: 'none',
  webhook: 'none1',
  event: 'none',
};

function send({ client }: Protocol, operation: Operation, repository: string, authorization: string): Promise<ClientAnswer> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'name' ? repository : (values[name] ?? ''),
  );
  const body = operation.id === 'rotate-keys' ? '{"key":"data"}' : '{}';
  const hasBody = operation.body !== undefined && operation.body !== 'stream';
  return client.request(operation.method, path, hasBody ? { authorization, body } : { authorization });
}

function assertChallenge(answer: ClientAnswer, { permission, id }: Operation, repository: string, caller: Caller): void {
  const header = String(answer.headers['www-authenticate']);
  const { scheme, scope } = parseChallenge(header);
  const error = /,error="(\w+)"$/.exec(header)?.[1];
  assert.equal(scheme, 'bearer');
  const actions =
    permission.kind === 'repository'
      ? [...permission.actions, ...(permission.instead === undefined ? [] : [permission.instead])]
      : [];
  const wanted = permission.kind === 'repository' ? `repository:${repository}:${actions.join(',')}` : undefined;
  const catalogs: Readonly<Record<string, string>> = {
    catalog: 'registry:catalog:*',
    'deleted-catalog': 'registry:deleted_catalog:*',
  };
  assert.equal(scope, catalogs[permission.kind] ?? wanted, `${id} by ${caller.name}`);
  const isToken = caller.authorization.startsWith('Bearer');
  assert.equal(error, isToken ? (caller.kind === 'invalid' ? 'invalid_token' : 'insufficient_scope') : undefined);
}

for (const isAnonymousPull of [false, true]) {
  protocolTests(
    `permissions, anonymous pull ${isAnonymousPull ? 'on' : 'off'}`,
    (check) => {
      for (const operation of operations) {
        check(`attack 14: ${operation.id} is served to whom its declaration says, and to nobody else`, async (protocol) => {
          const repository = protocol.newRepository();
          for (const caller of await callers(protocol, repository, isAnonymousPull)) {
            const answer = await send(protocol, operation, repository, caller.authorization);
            const expected = promised(operation.permission, caller, isAnonymousPull);
            const said = `${operation.id} by ${caller.name}: ${answer.status}`;
            assert.ok(answer.status < 500, said);
            if (expected === 'served') assert.ok(answer.status !== 401 && answer.status !== 403, said);
            else assert.equal(answer.status, expected, said);
            if (answer.status === 401) assertChallenge(answer, operation, repository, caller);
          }
        });

        if (['operator', 'deployment', 'agent', 'region'].includes(operation.permission.kind)) continue;
        check(`attack 21: ${operation.id} answers the same to a password and to the token that it gave`, async (protocol) => {
          const repository = protocol.newRepository();
          const scopes = [`repository:${repository}:*`, 'registry:catalog:*', 'registry:deleted_catalog:*'];
          const byToken = await send(protocol, operation, repository, await tokenFor(protocol, scopes));
          const byPassword = await send(protocol, operation, repository, protocol.client.basic);
          assert.equal(byToken.status, byPassword.status);
          assert.deepEqual(Object.keys(byToken.headers).toSorted(), Object.keys(byPassword.headers).toSorted());
        });
      }
      if (!isAnonymousPull) otherChecks(check);
    },
    { settings: { anonymousPull: String(isAnonymousPull) }, isOnce: true },
  );
}

function otherChecks(check: DefineCheck): void {
  check('attack 14: a method that a path does not have is refused, whoever asks', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    await client.pushImage(repository, randomImage(), 'latest');
    const methodsByPath = new Map<string, string[]>();
    for (const { path, method } of operations) methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), method]);
    const pull = await tokenFor(protocol, [`repository:${repository}:pull`]);
    for (const [template, methods] of methodsByPath) {
      const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        name === 'name' ? repository : name === 'reference' ? 'latest' : (values[name] ?? ''),
      );
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
        const isHeadOfGet = method === 'HEAD' && methods.includes('GET');
        if (methods.includes(method) || isHeadOfGet) continue;
        for (const authorization of [client.basic, pull, 'none']) {
          const answer = await client.request(method, path, { authorization });
          assert.ok([400, 401, 404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
        }
      }
    }
    assertStatus(await client.request('GET', `/v2/${repository}/manifests/latest`), 200);
  });

  check('attack 14: a token to push cannot delete, a token to pull cannot push, mount or delete', async (protocol) => {
    const { client } = protocol;
    const [source, target] = [protocol.newRepository(), protocol.newRepository()];
    const image = randomImage();
    await client.pushImage(source, image, 'latest');
    await client.pushImage(target, randomImage(), 'latest');
    const push = await tokenFor(protocol, [`repository:${target}:push`, `repository:${source}:push`]);
    const pull = await tokenFor(protocol, [`repository:${target}:pull`, `repository:${source}:pull`]);
    const digest = image.config.digest;
    const tries: readonly (readonly [string, string, string])[] = [
      [push, 'DELETE', `/v2/${target}/manifests/latest`],
      [push, 'DELETE', `/v2/${source}/blobs/${digest}`],
      [push, 'DELETE', `/acr/v1/${target}`],
      [push, 'GET', `/v2/${source}/blobs/${digest}`],
      [pull, 'POST', `/v2/${target}/blobs/uploads/?mount=${digest}&from=${source}`],
      [pull, 'POST', `/v2/${target}/blobs/uploads/?mount=${digest}`],
      [pull, 'POST', `/v2/${target}/blobs/uploads/?digest=${digest}`],
      [pull, 'PUT', `/v2/${target}/manifests/stolen`],
      [pull, 'DELETE', `/v2/${target}/manifests/latest`],
    ];
    for (const [authorization, method, path] of tries) assertStatus(await client.request(method, path, { authorization }), 401);
    for (const repository of [source, target])
      assertStatus(await client.request('GET', `/v2/${repository}/manifests/latest`), 200);
    assertStatus(await client.request('HEAD', `/v2/${target}/blobs/${digest}`), 404);
  });

  check('attack 16: an upload cannot be reached through another repository', async (protocol) => {
    const { client } = protocol;
    const [mine, other] = [protocol.newRepository(), protocol.newRepository()];
    const [ofMine, ofOther] = [
      await tokenFor(protocol, [`repository:${mine}:pull,push`]),
      await tokenFor(protocol, [`repository:${other}:pull,push`]),
    ];
    const location = locationOf(await client.request('POST', `/v2/${mine}/blobs/uploads/`, { authorization: ofMine }));
    const moved = location.replace(mine, other);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const query = method === 'PUT' ? `?digest=${values['digest']}` : '';
      assertStatus(await client.request(method, location + query, { authorization: ofOther }), 401);
      for (const authorization of [ofOther, client.basic])
        assertStatus(await client.request(method, moved + query, { authorization }), 404);
    }
    assertStatus(await client.request('GET', location, { authorization: ofMine }), 204);
  });

  check('attack 19: a token outlives its repository, but opens only what is there now', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const [before, after] = [randomImage(), randomImage()];
    await client.pushImage(repository, before, 'latest');
    const authorization = await tokenFor(protocol, [`repository:${repository}:pull`]);
    assertStatus(await client.request('DELETE', `/acr/v1/${repository}`), 202);
    const paths = [`manifests/${before.manifest.digest}`, 'manifests/latest', `blobs/${before.config.digest}`, 'tags/list'];
    for (const path of paths) assertStatus(await client.request('GET', `/v2/${repository}/${path}`, { authorization }), 404);
    await client.pushImage(repository, after, 'latest');
    for (const path of [paths[0], paths[2]])
      assertStatus(await client.request('GET', `/v2/${repository}/${path}`, { authorization }), 404);
    assertStatus(await client.request('GET', `/v2/${repository}/manifests/${after.manifest.digest}`, { authorization }), 200);
  });
}
