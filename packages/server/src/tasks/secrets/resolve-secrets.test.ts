import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { forEachEngine } from '@berth/testkit';
import { type CertificatePair, makeAuthority, makeServerCertificate } from '../../platform/tls/make-certificate.ts';
import { Secret } from '../../settings/index.ts';
import { noVault, openTestTasks } from '../test-tasks.ts';
import type { KeyVaultSettings } from './key-vault.ts';

let certificate: CertificatePair;

before(async () => {
  const validity = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
  const authority = await makeAuthority('test', validity);
  certificate = await makeServerCertificate(authority, ['127.0.0.1'], validity);
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate]);
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

type Answers = Readonly<Record<string, (response: ServerResponse, seen: Seen) => void>>;

/** A real server of TLS that answers by path, and remembers what it was asked. */
async function serve(t: TestContext, answers: Answers): Promise<{ readonly host: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    const one = { method, url, authorization: headers.authorization, body: await text(request) };
    seen.push(one);
    const answer = answers[url.split('?')[0] ?? ''];
    if (answer === undefined) response.writeHead(404).end('{}');
    else answer(response, one);
  };
  const server = createServer({ cert: certificate.certificate, key: certificate.key }, (request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const challengeFor = (resource: string): string => `Bearer authorization="https://evil.example/tenant", resource="${resource}"`;

/** As Azure's vaults answer: first what the token must be for, then the value. */
function secretAnswer(value: string, resource = 'https://vault.azure.net'): Answers[string] {
  return (response, { authorization }) => {
    if (authorization !== 'Bearer vault-token') response.writeHead(401, { 'www-authenticate': challengeFor(resource) }).end('{}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value, id: 'x' }));
  };
}

const tokenAnswer: Answers = {
  '/tenant-1/oauth2/v2.0/token': (response, { body }) => {
    const form = new URLSearchParams(body);
    const isRight = form.get('client_secret') === 'client-secret' && form.get('scope') === 'https://vault.azure.net/.default';
    response
      .writeHead(isRight ? 200 : 401)
      .end(JSON.stringify(isRight ? { access_token: 'vault-token' } : { error: 'invalid_client' }));
  },
};

function settingsFor(vaults: readonly string[], authority: string): KeyVaultSettings {
  return {
    keyVaults: vaults,
    keyVaultTenant: 'tenant-1',
    keyVaultClientId: 'client-1',
    keyVaultClientSecret: new Secret('client-secret'),
    keyVaultAuthority: `https://${authority}/`,
  };
}

forEachEngine((engine) => {
  test('secrets of the store are sealed, read by address, and each registry has its own', async (t) => {
    const { tasks, registry, keepSecret } = await openTestTasks(engine, t);
    await keepSecret('deploy-key', 'first');
    await keepSecret('deploy-key', 'second');
    const at = (keyvault: string): Promise<unknown> => tasks.resolveSecrets(registry, [{ id: 'key', keyvault }]);
    assert.deepEqual(await at('https://berth/secrets/deploy-key'), [{ id: 'key', value: 'second' }]);
    assert.deepEqual(await at('https://berth/secrets/deploy-key/0123456789abcdef'), [{ id: 'key', value: 'second' }]);
    await assert.rejects(at('https://berth/secrets/other'), /keeps no secret other/);
    for (const address of [
      'http://berth/secrets/a',
      'https://berth/keys/a',
      'https://u:hidden@berth/secrets/a',
      'nonsense',
      'https://berth/secrets/a_b',
    ])
      await assert.rejects(
        at(address),
        (error: Error) => /no address of a secret/.test(error.message) && !/hidden/.test(error.message),
      );
    const elsewhere = tasks.resolveSecrets({ ...registry, id: registry.id + 1 }, [
      { id: 'k', keyvault: 'https://berth/secrets/deploy-key' },
    ]);
    await assert.rejects(elsewhere, /keeps no secret/);
  });

  test('secrets of a key vault are read with a token of this server', async (t) => {
    const { host: authority, seen: signIns } = await serve(t, tokenAnswer);
    const { host, seen } = await serve(t, {
      '/secrets/db': secretAnswer('from the vault'),
      '/secrets/db/v1': secretAnswer('older'),
    });
    const { tasks, registry } = await openTestTasks(engine, t, settingsFor([host], authority));
    const sources = [
      { id: 'a', keyvault: `https://${host}/secrets/db` },
      { id: 'b', keyvault: `https://${host}/secrets/db/v1` },
    ];
    assert.deepEqual(await tasks.resolveSecrets(registry, sources), [
      { id: 'a', value: 'from the vault' },
      { id: 'b', value: 'older' },
    ]);
    assert.ok(seen.every(({ url }) => url.endsWith('?api-version=7.4')));
    assert.equal(signIns.length, 2);
    await assert.rejects(
      tasks.resolveSecrets(registry, [{ id: 'c', keyvault: `https://${host}/secrets/none` }]),
      /does not answer as a key vault/,
    );
  });

  test('attack 28, 29: a task file cannot send the token of this server elsewhere', async (t) => {
    const { host: authority, seen: signIns } = await serve(t, tokenAnswer);
    const { host: other, seen: strayed } = await serve(t, { '/secrets/db': secretAnswer('x') });
    const { host, seen } = await serve(t, {
      '/secrets/graph': secretAnswer('x', 'https://graph.microsoft.com'),
      '/secrets/moved': (response) => response.writeHead(302, { location: `https://${other}/secrets/db` }).end(),
      '/secrets/refused': (response, { authorization }) =>
        authorization === undefined
          ? response.writeHead(401, { 'www-authenticate': challengeFor('https://vault.azure.net') }).end()
          : response.writeHead(403).end('{"error":{"message":"it says vault-token"}}'),
      '/secrets/moved-late': (response, { authorization }) =>
        authorization === undefined
          ? response.writeHead(401, { 'www-authenticate': challengeFor('https://vault.azure.net') }).end()
          : response.writeHead(302, { location: `https://${other}/secrets/db` }).end(),
    });
    const { tasks, registry } = await openTestTasks(engine, t, settingsFor([host], authority));
    const at = (keyvault: string): Promise<unknown> => tasks.resolveSecrets(registry, [{ id: 'a', keyvault }]);
    await assert.rejects(at(`https://${other}/secrets/db`), /is not one that this server may read/);
    await assert.rejects(at(`https://${host}/secrets/graph`), /for something that is no key vault/);
    await assert.rejects(at(`https://${host}/secrets/moved`), /does not answer as a key vault/);
    assert.equal(signIns.length, 0);
    await assert.rejects(at(`https://${host}/secrets/moved-late`), /status 302/);
    await assert.rejects(
      at(`https://${host}/secrets/refused`),
      (error: Error) => /Key Vault Secrets User/.test(error.message) && !/token/.test(error.message),
    );
    assert.equal(strayed.length, 0);
    assert.ok(seen.length > 0);
  });

  test('a vault without a credential, and a sign-in that fails, are told apart', async (t) => {
    const { host } = await serve(t, { '/secrets/db': secretAnswer('x') });
    const source = [{ id: 'a', keyvault: `https://${host}/secrets/db` }];
    const none = await openTestTasks(engine, t, { ...noVault, keyVaults: [host] });
    await assert.rejects(none.tasks.resolveSecrets(none.registry, source), /sets keyVaultTenant, keyVaultClientId/);
    const wrong = await openTestTasks(engine, t, { ...settingsFor([host], host), keyVaultClientSecret: new Secret('guess') });
    await assert.rejects(
      wrong.tasks.resolveSecrets(wrong.registry, source),
      (error: Error) => /did not sign this server in/.test(error.message) && !/guess/.test(error.message),
    );
  });
});
